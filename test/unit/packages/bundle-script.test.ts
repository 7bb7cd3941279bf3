/** What the script that makes the bundle does to files; bundling itself is left out. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { repositoryRoot } from "../../support/tree.js";

/** Writes a file, as tsc would that compiles at the same time. */
const esbuild = `
import { mkdirSync, writeFileSync } from "node:fs";
export async function build({ outdir }) {
  writeFileSync("dist/.tsbuildinfo", "compiled meanwhile");
  mkdirSync(outdir, { recursive: true });
  writeFileSync(outdir + "/bss.js", "new");
  writeFileSync(outdir + "/program.js", "/z(ä|ae)hl|€|😀/u");
  return { metafile: { inputs: {} } };
}
`;

describe("the script that makes the bundle", () => {
  const root = mkdtempSync(join(tmpdir(), "bss-bundle-script-"));
  const at = (path: string) => join(root, path);
  const put = (path: string, text: string) => {
    mkdirSync(join(at(path), ".."), { recursive: true });
    writeFileSync(at(path), text);
  };
  put("node_modules/esbuild/index.js", esbuild);
  put("node_modules/esbuild/package.json", '{ "type": "module", "exports": "./index.js" }');
  mkdirSync(at("scripts"));
  for (const script of ["scripts/bundle.mjs", "scripts/licences.mjs"]) {
    copyFileSync(join(repositoryRoot(), script), at(script));
  }
  after(() => rmSync(root, { recursive: true }));

  const bundle = (...directory: readonly string[]) => {
    put("dist/.tsbuildinfo", "compiled before");
    return spawnSync(process.execPath, [at("scripts/bundle.mjs"), ...directory], {
      cwd: root,
      encoding: "utf8",
    });
  };

  test("takes a directory that is new or empty, or holds a bundle or what is left of one", () => {
    mkdirSync(at("empty"));
    put("bundle/compiled.sha256", "");
    put("bundle/bss.js", "old");
    put("dist/bundle/half-made.js", "");
    for (const directory of ["new/one", "empty", "bundle", undefined]) {
      const { status, stderr } = bundle(...(directory === undefined ? [] : [directory]));
      assert.equal(`${status} ${stderr}`, "0 ");
      assert.equal(readFileSync(at(`${directory ?? "dist/bundle"}/bss.js`), "utf8"), "new");
    }
    assert.ok(!existsSync(at("dist/bundle/half-made.js")));
  });

  test("leaves everything else as it is", () => {
    put("precious/data", "");
    for (const name of ["precious", "precious/data", "."]) {
      const { status, stderr } = bundle(name);
      assert.equal(status, 1);
      assert.match(stderr, /^\S+ holds something else than a bundle: name a new directory\n$/);
      assert.ok(existsSync(at("precious/data")));
    }
  });

  test("names what was compiled when it began", () => {
    assert.equal(bundle().status, 0);
    const hash = createHash("sha256").update("compiled before").digest("hex");
    assert.equal(readFileSync(at("dist/bundle/compiled.sha256"), "utf8"), hash);
  });

  test("makes the program one of ASCII, and names it", () => {
    assert.equal(bundle().status, 0);
    const program = readFileSync(at("dist/bundle/program.js"), "latin1");
    assert.equal(program, String.raw`/z(\u00e4|ae)hl|\u20ac|\ud83d\ude00/u`);
    const hash = createHash("sha256").update(program).digest("hex");
    assert.equal(readFileSync(at("dist/bundle/program.sha256"), "utf8"), hash);
  });
});
