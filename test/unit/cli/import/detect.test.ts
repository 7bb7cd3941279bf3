import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { detect, proposal } from "../../../../src/cli/import/detect.js";
import type { Output } from "../../../../src/cli/text/output.js";
import { guessMapping } from "../../../../src/energy-files/csv/mapping-guess.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const textOf = (rows: readonly string[]) =>
  proposal("a.csv", guessMapping(Buffer.from(`${rows.join("\n")}\n`), true));

describe("the mapping that is proposed", () => {
  test("needs rows", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "a.csv");
    for (const [text, what] of [
      ["", "is empty"],
      ["time,kwh\n", "has one line, and no rows below it"],
      ["time,kwh\r\n\r\n", "has one line, and no rows below it"],
    ] as const) {
      writeFileSync(path, text);
      await assert.rejects(detect(path, {} as Output), { what: `${path} ${what}` });
    }
  });

  test("has a line for the end of the interval that a time is, if the file does not tell", () => {
    const rows = ["2026-01-01T00:00:00Z,5", "2026-01-01T01:00:00Z,6"];
    assert.match(textOf(["time,kwh", ...rows]), /\n {2}format: .*\n# {3}stamp: start # or end\n/);
    assert.match(textOf(["start,kwh", ...rows]), /\n {2}stamp: start\n#/);
    // Without comments' marks it is a mapping with all that was open.
    const filled = textOf(["time,kwh", ...rows]).replace("#   stamp", "  stamp");
    assert.deepEqual(parse(filled).time.stamp, "start");
  });

  test("ends with the names of what the file is about", () => {
    const readings = textOf(["time,kwh", "2026-01-01T00:00:00Z,5", "2026-01-01T01:00:00Z,6"]);
    const why = "no column says whose values these are: .*";
    assert.match(readings, new RegExp(`# open: ${why}\n# meters:\n#   "kwh": ID$`));
    const named = textOf([
      "meter,time,kwh",
      ...["m1", "m2"].map((name) => `${name},2026-01-01T00:00:00Z,5`),
      ...["m1", "m2"].map((name) => `${name},2026-01-01T01:00:00Z,6`),
    ]);
    assert.match(named, /ids of their meters:\n# meters:\n# {3}NAME: id$/);
    const sessions = textOf([
      "station,session,start,end,kwh",
      "CP1,s1,2026-01-01T00:00:00Z,2026-01-01T01:00:00Z,5",
      "CP1,s2,2026-01-01T02:00:00Z,2026-01-01T03:00:00Z,6",
    ]);
    assert.match(sessions, /ids of their charging stations:\n# stations:\n# {3}NAME: id$/);
  });
});
