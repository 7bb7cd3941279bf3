/**
 * The sentences that agreement rests on, as functions of values only (protocol §4.2, §4.4).
 * The ring decides nothing about approving and committing elsewhere, so an exhaustive search
 * can drive these.
 */
import { type BlockKey, nilBlock } from "./events.js";

/** What a manager is bound to at one height; −1 and nil before it locks. */
export type LockState = {
  readonly lockedRound: number;
  readonly lockedBlock: BlockKey;
  readonly validRound: number;
  readonly validBlock: BlockKey;
};

export const unlocked: LockState = {
  lockedRound: -1,
  lockedBlock: nilBlock,
  validRound: -1,
  validBlock: nilBlock,
};

/** The state of a manager that has committed a block in a round. */
export function lockedOn(round: number, block: BlockKey): LockState {
  return { lockedRound: round, lockedBlock: block, validRound: round, validBlock: block };
}

export type ProposalView = {
  readonly round: number;
  readonly validRound: number;
  readonly block: BlockKey;
  /**
   * The rules find the block accurate; for a fresh one also: made in this round by its proposer.
   */
  readonly accurate: boolean;
  /** Predicates of this manager's own clock; skipped for a re-proposal. */
  readonly locallyFine: boolean;
  /** The proposal carries LC(h, validRound, block). */
  readonly certified: boolean;
};

/** The block to APPROVE, or nil. */
export function approvalOf(proposal: ProposalView, lock: LockState): BlockKey {
  if (!proposal.accurate) return nilBlock;
  const { block, round, validRound } = proposal;
  if (validRound === -1) {
    const free = lock.lockedRound === -1 || lock.lockedBlock === block;
    return proposal.locallyFine && free ? block : nilBlock;
  }
  if (validRound < 0 || validRound >= round || !proposal.certified) return nilBlock;
  return lock.lockedRound <= validRound || lock.lockedBlock === block ? block : nilBlock;
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
    return { lock: lockedOn(polkaRound, block), commit: true };
  }
  if (polkaRound <= lock.validRound) return { lock, commit: false };
  return { lock: { ...lock, validRound: polkaRound, validBlock: block }, commit: false };
}
