import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileFormats } from "../../../src/energy-files/readers.js";

const beginningOf = (name: string) =>
  readFileSync(`test/vectors/energy-files/${name}`, "utf8").slice(0, 16_384);

describe("formats that say what they mean", () => {
  const files: readonly (readonly [what: string, beginning: string, formats: string[]])[] = [
    ["NEM12", beginningOf("nem12.csv"), ["nem12"]],
    ["NEM12 without a first row", "\uFEFF\n200,NFGH004417,E1,1,E1,,,KWH,30\n", ["nem12"]],
    ["NEM13, to be refused by its name", "100,NEM13,202604140911,MDP4,RET7\n", ["nem12"]],
    ["Green Button", beginningOf("green-button.xml"), ["green-button"]],
    ["another XML", "<html>", []],
    ["a CSV file with such numbers", "100,5,7\n200,6,8\n", []],
    ["a CSV file about Green Button", "source,kwh\nhttp://naesb.org/espi,1\n", []],
  ];
  for (const [what, beginning, formats] of files) {
    test(`${what}: ${formats.join() || "none of them"}`, () => {
      const found = Object.entries(fileFormats).filter(([, format]) =>
        format.recognises(beginning),
      );
      assert.deepEqual(
        found.map(([name]) => name),
        formats,
      );
    });
  }
});
