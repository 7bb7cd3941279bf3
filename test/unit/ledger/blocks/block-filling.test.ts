/** What records that fail cost a proposer, and what they leave to others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fillBlock } from "../../../../src/ledger/blocks/block-filling.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { hourS, policy, startS } from "../support/consortium.js";
import { hashOf, readingBytes, submitted, tradeBytes } from "../support/records.js";
import { blockMs, Trial } from "../support/trial.js";

const perSubmission = 40;

/** Updates of a reading, each before the one that it updates. */
function readings(count: number): readonly Uint8Array[] {
  const versions = [readingBytes({ exported: 100, timeMs: blockMs })];
  while (versions.length < count) {
    const parent = hashOf(versions.at(-1) ?? new Uint8Array());
    versions.push(readingBytes({ exported: 100, timeMs: blockMs, parent }));
  }
  return versions.toReversed();
}

/** Trades of the same seller that nothing covers. */
function hopeless(count: number, delivery: number): readonly ParsedSubmission[] {
  const submissions: ParsedSubmission[] = [];
  for (let left = count; left > 0; left -= perSubmission) {
    const trades = Array.from({ length: Math.min(left, perSubmission) }, () =>
      tradeBytes({ delivery, energy: 1_000, timeMs: blockMs }),
    );
    submissions.push(submitted(trades));
  }
  return submissions;
}

function fill(candidates: readonly ParsedSubmission[]) {
  const { execution } = new Trial({ ...policy });
  let tries = 0;
  const tryRecord = execution.tryRecord.bind(execution);
  execution.tryRecord = (record, submission) => {
    tries += 1;
    return tryRecord(record, submission);
  };
  const excluded = new Set<string>();
  const filling = fillBlock({ execution, candidates, policy, recordsMax: 10_000, excluded });
  return { tries, placed: execution.recordCount, objections: filling.objections.length };
}

describe("a record that fails", () => {
  for (const count of [0, 40, 200, 1_000]) {
    // The market's hour after that of the readings is in the same window of the state.
    for (const hours of [1, 30]) {
      test(`waits for its own interval: ${count} of ${hours} hours later`, () => {
        const candidates = [...hopeless(count, startS + hours * hourS), submitted(readings(30))];
        const { tries, placed, objections } = fill(candidates);
        assert.equal(placed, 30);
        assert.equal(objections, count);
        assert.equal(tries, count + 30 + 29, "only updates are tried twice");
      });
    }
  }

  test("is tried again a few times only, and takes nothing from others", () => {
    const candidates = [...hopeless(1_000, startS), submitted(readings(30))];
    const { tries, placed, objections } = fill(candidates);
    assert.equal(placed, 30);
    assert.ok(tries <= 5 * 1_030, `${tries} tries`);
    assert.equal(objections, 0, "a retry that was not made might have cured them");
  });
});
