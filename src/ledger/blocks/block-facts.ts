/**
 * What certificates about a block are held against. All of it follows from the block and from the
 * state before it, so every node that knows both has the same facts, and the ring needs nothing
 * else of a block's content.
 */
export type BlockFacts = {
  /** 32 bytes. */
  readonly blockId: Uint8Array;
  readonly height: number;
  /** The round in which the block was made. */
  readonly createdRound: number;
  /** Manager that made it. */
  readonly proposerId: string;
  /** Unix ms. */
  readonly timestampMs: number;
  /** Records on the ledger after this block. */
  readonly treeSize: number;
  /** 32 bytes: root of the log after this block. */
  readonly hash1: Uint8Array;
  /** 64 bytes: seeds the draws of its committees. */
  readonly beacon: Uint8Array;
  /** Records that it adds. Without any, no integrity certificate is asked for. */
  readonly leafCount: number;
  /** Managers whose ACCEPT it needs: (active ∪ those it resumes) ∖ those it suspends; sorted. */
  readonly requiredAccepts: readonly string[];
  /** Managers that it suspends as absent: whoever accepts it has waited for them too; sorted. */
  readonly absences: readonly string[];
  /**
   * Storage nodes from which its committees are drawn: those eligible before this block; sorted.
   */
  readonly eligible: readonly string[];
};
