// Makes dist/browser/verify.js from what tsc has compiled: the verifier (src/client/verify) and all
// that it needs, as one file for browsers. It says how large that is.
//
//     node scripts/verifier/bundle.mjs
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { licencesOf } from "../licences.mjs";
import { leanDescriptors } from "./lean-descriptors.mjs";

const root = join(import.meta.dirname, "../..");
const outdir = join(root, "dist/browser");

const options = {
  absWorkingDir: root,
  entryPoints: { verify: join(root, "dist/src/client/verify/index.js") },
  outdir,
  bundle: true,
  format: "esm",
  // With it comes the condition "browser", by which package.json chooses the portable primitives.
  platform: "browser",
  target: "es2022",
  minify: true,
  sourcemap: true,
  metafile: true,
  write: false,
  legalComments: "none",
  banner: { js: "/* The verifier of bss-node. Licences: LICENSES.txt */" },
  logLevel: "warning",
};

const { inputs } = (await build(options)).metafile;
const own = Object.keys(inputs).filter((file) => !file.startsWith("node_modules/"));
const plugins = [await leanDescriptors(own.map((file) => join(root, file)))];
const { outputFiles, metafile } = await build({ ...options, plugins });

mkdirSync(outdir, { recursive: true });
writeFileSync(join(outdir, "LICENSES.txt"), licencesOf(root, metafile));
for (const { path, contents } of outputFiles) writeFileSync(path, contents);
const { contents } = outputFiles.find(({ path }) => path.endsWith("verify.js"));
const gzip = gzipSync(contents, { level: 9 }).length;
const brotli = brotliCompressSync(contents).length;
console.log(`dist/browser/verify.js: ${contents.length} bytes, gzip ${gzip}, brotli ${brotli}`);
