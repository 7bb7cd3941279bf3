import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nilBlock } from "../../../src/consensus/events.js";
import {
  approvalOf,
  type LockState,
  onLockCertificate,
  type ProposalView,
  unlocked,
} from "../../../src/consensus/lock-rules.js";

const lockedOnA: LockState = {
  lockedRound: 2,
  lockedBlock: "a",
  validRound: 2,
  validBlock: "a",
};

const fresh: ProposalView = {
  round: 5,
  validRound: -1,
  block: "b",
  accurate: true,
  locallyFine: true,
  certified: false,
};

describe("what is approved", () => {
  const cases: readonly (readonly [
    what: string,
    lock: LockState,
    change: Partial<ProposalView>,
    approved: string,
  ])[] = [
    ["a fresh block, when not locked", unlocked, {}, "b"],
    ["nil, when the block is wrong", unlocked, { accurate: false }, nilBlock],
    ["nil, when a fresh block's time is not fine", unlocked, { locallyFine: false }, nilBlock],
    ["nil, when locked on another block", lockedOnA, {}, nilBlock],
    ["the locked block, fresh or not", lockedOnA, { block: "a" }, "a"],
    [
      "a certified block of the locked round or later",
      lockedOnA,
      { validRound: 2, certified: true },
      "b",
    ],
    [
      "nil, when the valid round is before the lock",
      lockedOnA,
      { validRound: 1, certified: true },
      nilBlock,
    ],
    [
      "the locked block, however old its certificate",
      lockedOnA,
      { block: "a", validRound: 0, certified: true },
      "a",
    ],
    ["nil, when a valid round is not certified", unlocked, { validRound: 3 }, nilBlock],
    [
      "nil, when the valid round is not before the round",
      unlocked,
      { validRound: 5, certified: true },
      nilBlock,
    ],
    ["nil, for a valid round below -1", unlocked, { validRound: -2, certified: true }, nilBlock],
    [
      "a certified block, whatever its time",
      unlocked,
      { validRound: 3, certified: true, locallyFine: false },
      "b",
    ],
    [
      "nil, for a wrong block, however certified",
      unlocked,
      { validRound: 3, certified: true, accurate: false },
      nilBlock,
    ],
  ];
  for (const [what, lock, change, approved] of cases) {
    test(what, () => assert.equal(approvalOf({ ...fresh, ...change }, lock), approved));
  }
});

describe("on a lock certificate", () => {
  const cases: readonly (readonly [
    what: string,
    certificate: { readonly polkaRound: number; readonly block: string },
    now: { readonly round: number; readonly committedInRound: boolean },
    expected: { readonly commit: boolean; readonly lock: LockState },
  ])[] = [
    [
      "of this round: lock and commit",
      { polkaRound: 4, block: "b" },
      { round: 4, committedInRound: false },
      {
        commit: true,
        lock: { lockedRound: 4, lockedBlock: "b", validRound: 4, validBlock: "b" },
      },
    ],
    [
      "of this round, after nil was committed: the block is valid, no more",
      { polkaRound: 4, block: "b" },
      { round: 4, committedInRound: true },
      { commit: false, lock: { ...lockedOnA, validRound: 4, validBlock: "b" } },
    ],
    [
      "of a round that is over: the block is valid, no more",
      { polkaRound: 3, block: "b" },
      { round: 4, committedInRound: false },
      { commit: false, lock: { ...lockedOnA, validRound: 3, validBlock: "b" } },
    ],
    [
      "of the valid round or before: nothing",
      { polkaRound: 2, block: "b" },
      { round: 4, committedInRound: false },
      { commit: false, lock: lockedOnA },
    ],
    [
      "of a round that has not been reached: the block is valid, no more",
      { polkaRound: 6, block: "b" },
      { round: 4, committedInRound: false },
      { commit: false, lock: { ...lockedOnA, validRound: 6, validBlock: "b" } },
    ],
  ];
  for (const [what, certificate, now, expected] of cases) {
    test(what, () => assert.deepEqual(onLockCertificate(certificate, now, lockedOnA), expected));
  }
});
