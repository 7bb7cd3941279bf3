/** Bundles a compiled page: what it takes of Node.js comes from `pages`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { defined } from "../../src/base/assert.js";
import { listFiles, repositoryRoot } from "../support/tree.js";

const root = repositoryRoot();

export async function buildPage(name: string): Promise<string> {
  const page = (file: string) => join(import.meta.dirname, "pages", `${file}.js`);
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [page(name)],
    outdir: "unused",
    write: false,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    alias: {
      "node:test": page("node-test"),
      "node:assert/strict": page("node-test"),
      "node:crypto": page("node-modules"),
      "node:fs": page("node-modules"),
      "node:path": page("node-modules"),
    },
    define: { "import.meta.dirname": '"/"', pageFiles: JSON.stringify(vectors()) },
    logLevel: "warning",
  });
  return defined(outputFiles[0], "one page is one file").text;
}

/** The vectors that tests read from files, by their paths. */
function vectors(): Readonly<Record<string, string>> {
  const files = ["crypto", "merkle"].flatMap((each) => listFiles(root, `test/vectors/${each}`));
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
}
