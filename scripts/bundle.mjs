// Makes dist/bundle from what tsc has compiled: `bss` and all that it imports in one script, whose
// modules run when a command needs them. A process then starts in less than half the time, as it
// need not find, read and link a thousand small files, nor compile what another one has compiled.
//
//     node scripts/bundle.mjs [directory]      below the repository, whose node_modules it uses;
//                                              a new one, or one with a bundle, which is replaced
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { licencesOf } from "./licences.mjs";

const root = join(import.meta.dirname, "..");
const compiled = join(root, "dist/src");
const ownOutdir = join(root, "dist/bundle");
const outdir = resolve(process.argv[2] ?? ownOutdir);
/** The last file that is written. */
const stateFile = "compiled.sha256";

if (!mayReplace(outdir)) {
  console.error(`${outdir} holds something else than a bundle: name a new directory`);
  process.exit(1);
}
// Before anything that it stands for is read: what tsc compiles meanwhile is not in the bundle.
const state = readFileSync(join(root, "dist/.tsbuildinfo"));
rmSync(outdir, { recursive: true, force: true });
const options = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  // A script's compiled code can be kept (src/cli/compile-cache.ts); Node.js loads it sooner, too.
  format: "cjs",
  platform: "node",
  target: "node20.19",
  // The first is native code, in a file of its own. The second one is for a debugging service of
  // grpc-js that nobody starts.
  external: ["rocksdb", "@grpc/proto-loader"],
  define: { "import.meta.url": "fileUrl", "import.meta.dirname": "__dirname" },
  // Names stay, as errors and stacks show them. What is left out is white space and dead code.
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  legalComments: "none",
  logLevel: "warning",
};
const fileUrl = 'const fileUrl=require("node:url").pathToFileURL(__filename).href;';
const first = await build({
  ...options,
  entryPoints: {
    bss: join(compiled, "cli/bundled.js"),
    // The store starts it as a thread, by its name beside the file that does.
    "rocksdb-worker": join(compiled, "store/rocksdb/rocksdb-worker.js"),
  },
  banner: { js: fileUrl },
});
const program = await build({
  ...options,
  entryPoints: { program: join(compiled, "cli/main.js") },
  // A function that bss.js calls.
  banner: { js: `(function(require,__filename,__dirname){${fileUrl}` },
  footer: { js: "})" },
});
// The repository's package.json says that scripts are modules.
writeFileSync(join(outdir, "package.json"), '{ "type": "commonjs" }\n');
const text = asciiOf(readFileSync(join(outdir, "program.js"), "utf8"));
writeFileSync(join(outdir, "program.js"), text);
writeFileSync(join(outdir, "program.sha256"), sha256Of(text));
const licences = licencesOf(root, first.metafile, program.metafile);
writeFileSync(join(outdir, "LICENSES.txt"), licences);
// What is compiled of the program is kept here.
mkdirSync(join(outdir, ".compile-cache"), { mode: 0o700 });
// Last: whoever finds this runs the bundle (src/cli/nodes/main-file.ts).
writeFileSync(join(outdir, stateFile), sha256Of(state));

/** A name that was mistyped must not cost what is there. In dist a bundle may be half made. */
function mayReplace(directory) {
  if (directory === ownOutdir || !existsSync(directory)) return true;
  if (!statSync(directory).isDirectory()) return false;
  const files = readdirSync(directory);
  return files.length === 0 || files.includes(stateFile);
}

/** esbuild leaves other characters in regular expressions only, where they may be written so. */
function asciiOf(script) {
  const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return script.replaceAll(/[^\0-\x7f]/g, escaped);
}

function sha256Of(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
