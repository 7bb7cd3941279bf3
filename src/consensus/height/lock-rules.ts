/**
 * The sentences that agreement rests on, as functions of values only (protocol §4.2, §4.4).
 * The ring decides nothing about approving and committing elsewhere, so an exhaustive search
 * (test/model) can drive these.
 */
import { type BlockKey, nilBlock } from "../ring/events.js";

/** What a manager is bound to at one height; −1 and nil before it locks. */
export type LockState = {
  readonly lockedRound: number;
  readonly lockedBlock: BlockKey;
  readonly validRound: number;
  readonly validBlock: BlockKey;
  /** The highest round in which it committed another block than `lockedBlock`. */
  readonly otherRound: number;
};

export const unlocked: LockState = {
  lockedRound: -1,
  lockedBlock: nilBlock,
  validRound: -1,
  validBlock: nilBlock,
  otherRound: -1,
};

/** A COMMIT of a block. */
export type CommitPlace = { readonly round: number; readonly block: BlockKey };

/**
 * The lock of a manager that restarts, from what is on its disk: the lock that it had, and its
 * COMMITs of this height, with those of nil.
 */
export function restoredLock(lock: CommitPlace, commits: readonly CommitPlace[]): LockState {
  const { round, block } = lock;
  const others = commits.filter((each) => each.block !== nilBlock && each.block !== block);
  return {
    lockedRound: round,
    lockedBlock: block,
    validRound: round,
    validBlock: block,
    otherRound: others.reduce((highest, each) => Math.max(highest, each.round), -1),
  };
}

export type ProposalView = {
  readonly round: number;
  readonly validRound: number;
  readonly block: BlockKey;
  /**
   * The rules find the block accurate; for a fresh one also: made in this round by its proposer.
   */
  readonly accurate: boolean;
  /** Predicates of this manager's own clock and patience; skipped for a re-proposal. */
  readonly locallyFine: boolean;
  /** The proposal carries LC(h, validRound, block). */
  readonly certified: boolean;
};

/** The block to APPROVE, or nil. */
export function approvalOf(proposal: ProposalView, lock: LockState): BlockKey {
  if (!proposal.accurate) return nilBlock;
  const { block, round, validRound } = proposal;
  if (validRound === -1) {
    return proposal.locallyFine && isFree(proposal, lock) ? block : nilBlock;
  }
  if (validRound < 0 || validRound >= round || !proposal.certified) return nilBlock;
  return isFree(proposal, lock) ? block : nilBlock;
}

/**
 * Whether the lock lets a manager approve a block with a valid round: each COMMIT of another block
 * that it ever signed at this height is of that round or an earlier one. Nobody can then show two
 * of its statements as a broken lock. `lockedBlock = block` alone is not enough: the manager may
 * have committed another block before, in a later round than the one that the certificate is of.
 */
function isFree({ block, validRound }: ProposalView, lock: LockState): boolean {
  if (lock.lockedRound <= validRound) return true;
  return lock.lockedBlock === block && lock.otherRound <= validRound;
}

/**
 * What a manager does on learning LC(h, polkaRound, block). It commits only in the round of the
 * polka itself, while it is in that round, and if it has not committed there: committing on a late
 * certificate forks the chain. A late one still makes the block the one to propose again.
 */
export function onLockCertificate(
  certificate: { readonly polkaRound: number; readonly block: BlockKey },
  now: { readonly round: number; readonly committedInRound: boolean },
  lock: LockState,
): { readonly lock: LockState; readonly commit: boolean } {
  const { polkaRound, block } = certificate;
  if (polkaRound === now.round && !now.committedInRound) {
    return { lock: lockedOn(polkaRound, block, lock), commit: true };
  }
  if (polkaRound <= lock.validRound) return { lock, commit: false };
  return { lock: { ...lock, validRound: polkaRound, validBlock: block }, commit: false };
}

/** The state of a manager that commits a block in a round, after all that it has committed. */
function lockedOn(round: number, block: BlockKey, before: LockState): LockState {
  const otherRound = before.lockedBlock === block ? before.otherRound : before.lockedRound;
  return {
    lockedRound: round,
    lockedBlock: block,
    validRound: round,
    validBlock: block,
    otherRound,
  };
}
