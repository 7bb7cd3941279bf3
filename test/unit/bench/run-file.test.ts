import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { newRun, type Run, readRun, writeRun } from "../../../bench/report/run-file.js";

describe("the file of a run", () => {
  const directory = mkdtempSync(join(tmpdir(), "bss-run-file-"));
  const file = join(directory, "run.json");
  after(() => rmSync(directory, { recursive: true }));

  test("says how long the nodes were warmed", () => {
    const head = newRun({
      machine: { cores: 2, cpu: "a cpu", node: "v24.0.0", commit: "abc" },
      startedAt: "2026-11-29T00:00:00Z",
      windowMs: 8_000,
      warmMs: 60_000,
      primitives: {} as Run["primitives"],
    });
    writeRun(file, Object.assign({}, head, { sections: [] }));
    assert.equal(readRun(file).warmMs, 60_000);
  });

  test("is of a run without warming if it is too old to say so", () => {
    writeFileSync(file, JSON.stringify({ format: 1, windowMs: 8_000, sections: [] }));
    assert.equal(readRun(file).warmMs, 0);
  });

  test("is refused in another format", () => {
    writeFileSync(file, JSON.stringify({ format: 2, sections: [] }));
    assert.throws(() => readRun(file), /is not what bench\/run\.js --out of this version writes/);
  });
});
