import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DemoDirectory } from "../../../examples/energy-community/demo-directory.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

const marker = ".bss-demo";

describe("the demo's directory", () => {
  test("is made, and emptied by the next run", () => {
    const path = join(temporaryDirectory(), "deep", "demo");
    const first = new DemoDirectory(path);
    mkdirSync(first.file("consortium"));
    writeFileSync(first.file("consortium/genesis.json"), "{}");
    first.release();
    assert.ok(existsSync(first.file("consortium/genesis.json")), "it stays after the run");
    new DemoDirectory(path);
    assert.deepEqual(readdirSync(path), [marker]);
  });

  test("is never one that somebody else filled", () => {
    const path = temporaryDirectory();
    writeFileSync(join(path, "thesis.txt"), "");
    assert.throws(() => new DemoDirectory(path), /was not made by the demo; choose another/);
    assert.deepEqual(readdirSync(path), ["thesis.txt"]);
  });

  test("is left alone while another run uses it", () => {
    const path = temporaryDirectory();
    writeFileSync(join(path, marker), `${process.ppid}\n`);
    writeFileSync(join(path, "receipt.json"), "");
    assert.throws(() => new DemoDirectory(path), /a demo is running in .*; wait for its end/);
    assert.ok(existsSync(join(path, "receipt.json")));
  });

  test("is taken over from a run that was killed", () => {
    const path = temporaryDirectory();
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(join(path, marker), `${pid}\n`);
    new DemoDirectory(path);
    assert.deepEqual(readdirSync(path), [marker]);
  });
});
