import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { InputPlace } from "../../../../../src/cli/sending/input.js";
import { receiptsPath } from "../../../../../src/cli/sending/receipts/receipts-path.js";
import { temporaryDirectory } from "../../../../support/temporary-directory.js";

describe("the path of the receipts", () => {
  const directory = temporaryDirectory();
  const path = (name: string) => join(directory, name);
  const rows = path("rows.csv");
  writeFileSync(rows, "meter,start\n");
  writeFileSync(path("old.jsonl"), "");
  symlinkSync("old.jsonl", path("link.jsonl"));
  symlinkSync("rows.csv", path("link.csv"));
  symlinkSync("nothing", path("dangling"));
  mkdirSync(path("directory"));
  const of = (out: string, { file = rows, isStream = false } = {}) =>
    receiptsPath(file, { label: file, isStream } as InputPlace, out);

  test("is one for all names of a file, so that they share lock and journal", () => {
    assert.equal(of(path("old.jsonl")), path("old.jsonl"));
    assert.equal(of(path("link.jsonl")), path("old.jsonl"));
    assert.equal(of(path("new.jsonl")), path("new.jsonl"));
    assert.equal(of(path("new.jsonl"), { file: "-", isStream: true }), path("new.jsonl"));
  });

  test("is never that of the rows, whatever either is called", () => {
    for (const [file, out] of [
      [rows, rows],
      [rows, path("link.csv")],
      [path("link.csv"), rows],
    ] as const) {
      assert.throws(() => of(out, { file }), /--out names the file that is to be read; give/);
    }
  });

  for (const [what, out, message] of [
    ["a device", "/dev/null", /^\/dev\/null is no regular file; give another file/],
    ["a directory", path("directory"), /directory is no regular file; give another file/],
    ["a link that leads nowhere", path("dangling"), /is a link that leads nowhere; give/],
    ["what others take for a stream", "-", /^--out '-' is no name of a file; give another file/],
    ["nothing", "", /^--out '' is no name of a file; give another file/],
  ] as const) {
    test(`is not ${what}`, () => {
      assert.throws(() => of(out), { name: "CliError", message });
    });
  }
});
