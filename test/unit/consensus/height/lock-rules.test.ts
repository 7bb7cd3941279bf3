import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  approvalOf,
  type CommitPlace,
  type LockState,
  onLockCertificate,
  type ProposalView,
  restoredLock,
  unlocked,
} from "../../../../src/consensus/height/lock-rules.js";
import { nilBlock } from "../../../../src/consensus/ring/events.js";

const lockedOnA: LockState = {
  lockedRound: 2,
  lockedBlock: "a",
  validRound: 2,
  validBlock: "a",
  otherRound: -1,
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
    [
      "the locked block, with a certificate of the round of the COMMIT of another, or later",
      { ...lockedOnA, otherRound: 1 },
      { block: "a", validRound: 1, certified: true },
      "a",
    ],
    [
      "nil, when another block was committed after the round of the locked block's certificate",
      { ...lockedOnA, otherRound: 1 },
      { block: "a", validRound: 0, certified: true },
      nilBlock,
    ],
    [
      "nil, when another block was committed before, and the locked one is proposed as fresh",
      { ...lockedOnA, otherRound: 1 },
      { block: "a" },
      nilBlock,
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
        lock: {
          lockedRound: 4,
          lockedBlock: "b",
          validRound: 4,
          validBlock: "b",
          otherRound: 2,
        },
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

  test("of the locked block in a later round: other COMMITs are remembered as before", () => {
    const now = { round: 6, committedInRound: false };
    const { lock } = onLockCertificate({ polkaRound: 6, block: "a" }, now, {
      ...lockedOnA,
      otherRound: 1,
    });
    assert.equal(lock.otherRound, 1);
  });
});

describe("the lock that is found on the disk", () => {
  const cases: readonly (readonly [
    what: string,
    commits: readonly CommitPlace[],
    other: number,
  ])[] = [
    ["without a COMMIT of another block", [{ round: 2, block: "a" }], -1],
    [
      "after one of another block",
      [
        { round: 1, block: "b" },
        { round: 2, block: "a" },
      ],
      1,
    ],
    [
      "after several",
      [
        { round: 0, block: "b" },
        { round: 1, block: "c" },
      ],
      1,
    ],
    ["after one of nil", [{ round: 1, block: nilBlock }], -1],
  ];
  for (const [what, commits, otherRound] of cases) {
    test(`${what} is of that block, and knows`, () => {
      const lock = restoredLock({ round: 2, block: "a" }, commits);
      assert.deepEqual(lock, { ...lockedOnA, otherRound });
    });
  }
});
