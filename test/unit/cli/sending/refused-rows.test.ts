import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { RefusedRows } from "../../../../src/cli/sending/refused-rows.js";
import { RowProblem } from "../../../../src/cli/sending/row-problem.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

describe("the list of refused rows", () => {
  const directory = temporaryDirectory();
  const out = join(directory, "receipts.jsonl");
  const file = `${out}.refused.csv`;

  test("has all of them, also those that are too many to be printed", () => {
    const printed: string[] = [];
    const rows = new RefusedRows("data.csv", out, (text) => printed.push(text));
    for (let line = 2; line < 122; line++) {
      rows.add(line, new RowProblem('"1,5" is not kWh', "imported_kwh"));
    }
    rows.complete();
    rows.close();
    assert.equal(rows.file, file);
    assert.equal(printed.length, 51);
    assert.equal(printed[0], 'data.csv:2: column imported_kwh: "1,5" is not kWh');
    assert.equal(printed.at(-1), `… the other rows are listed in ${file}`);
    const lines = readFileSync(file, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, 121);
    assert.equal(lines[0], "line,column,problem,reason,standing_record_hash");
    assert.equal(lines.at(-1), '121,imported_kwh,"""1,5"" is not kWh",,');
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  test("has reason and standing record of a refusal, for programs", () => {
    const rows = new RefusedRows("data.csv", out, () => {});
    const refusal = { reason: "INTERVAL_OVERLAP", standingHash: "3477f2fa" };
    rows.add(2, new RowProblem("refused: it stands", undefined, refusal));
    rows.close();
    assert.equal(
      readFileSync(file, "utf8").split("\n")[1],
      "2,,refused: it stands,INTERVAL_OVERLAP,3477f2fa",
    );
  });

  test("replaces one of an earlier version, which had fewer columns", () => {
    writeFileSync(file, "line,column,problem\n2,,x\n");
    new RefusedRows("data.csv", out, () => {}).close();
  });

  test("of an earlier run goes when a run ends without any, and not before", () => {
    const rows = new RefusedRows("data.csv", out, () => {});
    rows.close();
    assert.ok(existsSync(file));
    rows.complete();
    assert.equal(rows.file, undefined);
    assert.ok(!existsSync(file));
  });

  test("does not take the place of something else", () => {
    writeFileSync(file, "a,b\n1,2\n");
    assert.throws(() => new RefusedRows("data.csv", out, () => {}), {
      name: "CliError",
      message: /refused\.csv was not written by 'bss submit' or 'bss import'; move it away, or/,
    });
    assert.equal(readFileSync(file, "utf8"), "a,b\n1,2\n");
  });
});
