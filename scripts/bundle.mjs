// Makes dist/bundle from what tsc has compiled: `bss` and all that it imports in a few files, of
// which each command loads only its own. A process then starts in less than half the time, as it
// need not find, read and link a thousand small files.
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
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    bss: join(compiled, "cli/main.js"),
    // The store starts it as a thread, by its name beside the file that does.
    "rocksdb-worker": join(compiled, "store/rocksdb/rocksdb-worker.js"),
  },
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  // The first is native code, in a file of its own. The second one is for a debugging service of
  // grpc-js that nobody starts.
  external: ["rocksdb", "@grpc/proto-loader"],
  // Names stay, as errors and stacks show them. What is left out is white space and dead code.
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  legalComments: "none",
  // Packages in CommonJS ask for Node's own modules by `require`.
  banner: {
    js:
      'import{createRequire as nodeRequire}from"node:module";' +
      "const require=nodeRequire(import.meta.url);",
  },
  logLevel: "warning",
});
writeFileSync(join(outdir, "LICENSES.txt"), licencesOf(root, metafile));
// What Node.js compiles of the bundle is kept here (src/cli/compile-cache.ts).
mkdirSync(join(outdir, ".compile-cache"), { mode: 0o700 });
// Last: whoever finds this runs the bundle (src/cli/nodes/main-file.ts).
writeFileSync(join(outdir, stateFile), createHash("sha256").update(state).digest("hex"));

/** A name that was mistyped must not cost what is there. In dist a bundle may be half made. */
function mayReplace(directory) {
  if (directory === ownOutdir || !existsSync(directory)) return true;
  if (!statSync(directory).isDirectory()) return false;
  const files = readdirSync(directory);
  return files.length === 0 || files.includes(stateFile);
}
