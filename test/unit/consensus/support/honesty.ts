/**
 * What a manager that keeps the rules never has on its disk, whatever was sent to it and however
 * often it was killed: the sentences of protocol §4 as a judge would hold them against its votes.
 */
import assert from "node:assert/strict";
import { toHex } from "../../../../src/base/bytes.js";
import { type Vote, VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import type { RingBench } from "./ring-bench.js";

export function assertHonest(bench: RingBench): void {
  const { votes, proposals } = bench;
  const keys = [...votes.map(keyOf), ...proposals.map(({ round }) => `PROPOSE r${round}`)];
  assert.equal(new Set(keys).size, keys.length, `said twice: ${keys}`);
  assertRoundsGoOn(votes);
  assertLocksHold(votes);
  assertLockFits(bench);
}

function keyOf({ kind, round, blockId }: Vote): string {
  return kind === VoteKind.ACCEPT ? `ACCEPT ${toHex(blockId)}` : `${kind} r${round}`;
}

/** APPROVE, then COMMIT, then the next round. */
function assertRoundsGoOn(votes: readonly Vote[]): void {
  let place = -1;
  for (const { kind, round } of votes) {
    if (kind === VoteKind.ACCEPT) continue;
    const next = 2 * round + (kind === VoteKind.COMMIT ? 1 : 0);
    assert.ok(next > place, `a vote of round ${round} came after one of a later step`);
    if (kind === VoteKind.COMMIT) assert.equal(place, 2 * round, "a COMMIT follows an APPROVE");
    place = next;
  }
}

/** COMMIT(B, r) and APPROVE(B′ ≠ B, r′ > r, validRound < r) are evidence. */
function assertLocksHold(votes: readonly Vote[]): void {
  const commits = votes.filter((vote) => isOfBlock(vote, VoteKind.COMMIT));
  const approvals = votes.filter((vote) => isOfBlock(vote, VoteKind.APPROVE));
  for (const commit of commits) {
    for (const { round, validRound, blockId } of approvals) {
      const other = toHex(blockId) !== toHex(commit.blockId);
      const breaksLock = other && round > commit.round && validRound < commit.round;
      assert.ok(!breaksLock, `round ${round} breaks the lock of round ${commit.round}`);
    }
  }
}

/** The lock is of the last COMMIT of a block, and its polka of that same round. */
function assertLockFits({ votes, lock, members }: RingBench): void {
  const last = votes.findLast((vote) => isOfBlock(vote, VoteKind.COMMIT));
  if (last === undefined) return;
  assert.ok(lock !== undefined, "a COMMIT of a block has its lock on the disk");
  // The lock is written first: it may be of a COMMIT that was lost.
  assert.ok(lock.round >= last.round);
  if (lock.round === last.round) assert.deepEqual(lock.blockId, last.blockId);
  const { polka } = lock.certificate;
  assert.equal(polka?.round, lock.round, "a COMMIT is of the round of its polka");
  assert.deepEqual(polka?.blockId, lock.blockId);
  const approvers = new Set(polka?.approvals.map(({ managerId }) => managerId));
  assert.ok(approvers.size >= members.quorum);
}

function isOfBlock({ kind, blockId }: Vote, expected: VoteKind): boolean {
  return kind === expected && blockId.length > 0;
}
