import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LossNotes } from "../../../../src/cli/text/rpc-advice.js";

describe("notes of lost connections", () => {
  test("tell each cause once until something works again", () => {
    const printed: string[] = [];
    const notes = new LossNotes((text) => printed.push(text));
    const causes = ["h:1: refused", "h:2: refused", "h:1: refused", "h:2: refused"];
    for (const message of causes) notes.note({ message, metadata: {} });
    notes.clear();
    notes.note({ message: "h:1: refused", metadata: {} });
    const line = (cause: string) => `bss: ${cause}; trying again until it works; Ctrl-C stops this`;
    const told = ["h:1: refused", "h:2: refused", "h:1: refused"];
    assert.deepEqual(printed, told.map(line));
  });

  test("say where it goes on when that is known", () => {
    const printed: string[] = [];
    const notes = new LossNotes((text) => printed.push(text));
    const message = "h:1 is silent; going on at h:2";
    notes.note({ message, metadata: { going_on_at: "h:2" } });
    assert.deepEqual(printed, [`bss: ${message}`]);
  });
});
