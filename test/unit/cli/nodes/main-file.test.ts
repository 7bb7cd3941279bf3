import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { findMainFile } from "../../../../src/cli/nodes/main-file.js";

describe("the script that nodes run", () => {
  const dist = mkdtempSync(join(tmpdir(), "bss-main-file-"));
  after(() => rmSync(dist, { recursive: true }));
  const compiled = join(dist, "src/cli/nodes");
  const bundle = join(dist, "bundle");
  mkdirSync(compiled, { recursive: true });
  mkdirSync(bundle);
  const stamp = (text: string) => {
    const hash = createHash("sha256").update(text).digest("hex");
    writeFileSync(join(bundle, "compiled.sha256"), hash);
  };
  writeFileSync(join(dist, ".tsbuildinfo"), "one");

  test("is what tsc has compiled while there is no bundle", () => {
    assert.equal(findMainFile(compiled), join(dist, "src/cli/main.js"));
  });

  test("is the bundle of what is compiled", () => {
    writeFileSync(join(bundle, "bss.js"), "");
    stamp("one");
    assert.equal(findMainFile(compiled), join(bundle, "bss.js"));
  });

  test("is never a bundle of what was compiled before", () => {
    writeFileSync(join(dist, ".tsbuildinfo"), "two");
    assert.equal(findMainFile(compiled), join(dist, "src/cli/main.js"));
  });

  test("is the bundle itself for a bundle, which may stand alone", () => {
    assert.equal(findMainFile(bundle), join(bundle, "bss.js"));
  });
});
