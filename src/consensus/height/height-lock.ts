/**
 * What this manager is bound to at one height, and the certificate that shows why: the state that
 * lock-rules.ts speaks of. After a restart it is what the disk says.
 */
import { toHex } from "../../base/bytes.js";
import type { LockCertificate } from "../../gen/bss/v1/block_pb.js";
import { type Vote, VoteKind } from "../../gen/bss/v1/vote_pb.js";
import type { BlockKey, Lock } from "../ring/events.js";
import { type LockState, onLockCertificate, restoredLock, unlocked } from "./lock-rules.js";

export class HeightLock {
  #state: LockState = unlocked;
  #certificate: LockCertificate | undefined;

  get state(): LockState {
    return this.#state;
  }

  /** LC of the block to propose again, if there is one. */
  get certificate(): LockCertificate | undefined {
    return this.#certificate;
  }

  /** Whether this manager may have to show the block's body again. */
  binds(block: BlockKey): boolean {
    return block === this.#state.lockedBlock || block === this.#state.validBlock;
  }

  /** Learns LC(h, round, block); true when the manager is to COMMIT the block. */
  learn(
    place: { readonly round: number; readonly block: BlockKey },
    now: { readonly round: number; readonly committedInRound: boolean },
    certificate: LockCertificate,
  ): boolean {
    const { round: polkaRound, block } = place;
    const after = onLockCertificate({ polkaRound, block }, now, this.#state);
    this.#state = after.lock;
    this.#certificate = certificate;
    return after.commit;
  }

  /** Takes up what the disk holds: the lock, and every COMMIT of this height. */
  restore(lock: Lock, votes: readonly Vote[]): void {
    const commits = votes
      .filter(({ kind }) => kind === VoteKind.COMMIT)
      .map(({ round, blockId }) => ({ round, block: toHex(blockId) }));
    this.#state = restoredLock({ round: lock.round, block: toHex(lock.blockId) }, commits);
    this.#certificate = lock.certificate;
  }
}
