import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
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

  test("is written row by row where the system takes a part of a row at a time", () => {
    const byByte = (descriptor: number, bytes: Uint8Array, from: number) =>
      writeSync(descriptor, bytes, from, 1);
    const rows = new RefusedRows("data.csv", out, () => {}, byByte);
    rows.add(2, new RowProblem("is empty", "meter"));
    rows.close();
    assert.equal(readFileSync(file, "utf8").split("\n")[1], "2,meter,is empty,,");
  });

  test("ends with a whole row on a full disk, and the error names it", () => {
    let room = 70;
    const onFullDisk = (descriptor: number, bytes: Uint8Array, from: number) => {
      if (room === 0) {
        throw Object.assign(new Error("ENOSPC: no space left on device, write"), {
          code: "ENOSPC",
        });
      }
      const taken = writeSync(descriptor, bytes, from, Math.min(room, bytes.length - from));
      room -= taken;
      return taken;
    };
    const rows = new RefusedRows("data.csv", out, () => {}, onFullDisk);
    rows.add(2, new RowProblem("is empty", "meter"));
    assert.throws(() => rows.add(3, new RowProblem("is empty", "meter")), {
      name: "CliError",
      message:
        /refused\.csv cannot be written: ENOSPC.+; free some space, and run the same command again/,
    });
    rows.close();
    assert.equal(
      readFileSync(file, "utf8"),
      "line,column,problem,reason,standing_record_hash\n2,meter,is empty,,\n",
    );
  });

  test("that was cut off in its first line is replaced", () => {
    writeFileSync(file, "line,col");
    new RefusedRows("data.csv", out, () => {}).close();
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
