import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LossNotes } from "../../../../src/cli/text/rpc-advice.js";

describe("notes of lost connections", () => {
  test("tell each cause once until something works again", () => {
    const printed: string[] = [];
    const notes = new LossNotes((text) => printed.push(text));
    const causes = ["h:1: refused", "h:2: refused", "h:1: refused", "h:2: refused"];
    for (const message of causes) notes.note({ message });
    notes.clear();
    notes.note({ message: "h:1: refused" });
    const line = (cause: string) => `bss: ${cause}; trying again until it works; Ctrl-C stops this`;
    const told = ["h:1: refused", "h:2: refused", "h:1: refused"];
    assert.deepEqual(printed, told.map(line));
  });
});
