/** What readings cost in state: values and bytes that are written, as counts and not as times. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readKeysOfSubmission } from "../../../../src/ledger/state/effects.js";
import type { StateWrite } from "../../../../src/ledger/state/state.js";
import { participantIds, quarterS, startS } from "../support/consortium.js";
import { parsed, readingBytes } from "../support/records.js";
import { Trial } from "../support/trial.js";

const bytesOf = (writes: readonly StateWrite[]) =>
  writes.reduce((sum, { key, value }) => sum + key.length + value.length, 0);

function quarters(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, i) =>
    readingBytes({ start: startS + i * quarterS, imported: 100 + (i % 90), exported: i % 70 }),
  );
}

describe("the state that readings cost", () => {
  test("is little more than a record's entry where a meter hands in a hundred", () => {
    const trial = new Trial();
    for (const bytes of quarters(100)) trial.place(bytes);
    const writes = trial.execution.writes();
    // 100 records, 2 windows of quarters, 1 window of hours.
    assert.equal(writes.length, 103);
    assert.ok(bytesOf(writes) < 50 * 100, `${bytesOf(writes)} bytes`);
  });

  test("is three values of 90 bytes where each has a meter of its own", () => {
    const trial = new Trial();
    for (const [i, owner] of participantIds.entries()) {
      trial.place(readingBytes({ owner, meter: `meter-${i + 1}` }));
    }
    const writes = trial.execution.writes();
    assert.equal(writes.length, 3 * participantIds.length);
    assert.ok(bytesOf(writes) < 90 * participantIds.length, `${bytesOf(writes)} bytes`);
  });

  test("is below 650 bytes for the last one of windows that are full", () => {
    const trial = new Trial();
    const last = quarters(96).at(-1) as Uint8Array;
    for (const bytes of quarters(95)) trial.place(bytes);
    const before = new Map(trial.execution.writes().map(({ key, value }) => [`${key}`, value]));
    trial.place(last);
    const changed = trial.execution
      .writes()
      .filter(({ key, value }) => `${before.get(`${key}`)}` !== `${value}`);
    assert.equal(changed.length, 3);
    assert.ok(bytesOf(changed) < 650, `${bytesOf(changed)} bytes`);
  });

  test("is read by few keys, however many there are", () => {
    const records = quarters(100).map((bytes) => parsed(bytes));
    const keys = readKeysOfSubmission({ participantId: "participant-1", records });
    // The participant, the meter, 100 records, 2 windows of quarters, 1 window of hours.
    assert.equal(keys.length, 105);
  });
});
