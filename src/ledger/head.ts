/**
 * The head: the last final block, reduced to what checking and executing the next one needs.
 *
 * Together with the state it is all that a manager has to know. Both follow from genesis and the blocks by replay.
 */
import type { BlockFacts } from "./block-facts.js";
import type { Members } from "./members.js";
import type { Frontier } from "./merkle/frontier.js";

export type LedgerHead = {
  /** 0 for genesis. */
  readonly height: number;
  /** 32 bytes; the consortium id for genesis. */
  readonly blockId: Uint8Array;
  /** Unix ms. */
  readonly timestampMs: number;
  /** The Merkle log after the block. */
  readonly frontier: Frontier;
  /** 32 bytes: after the block. */
  readonly stateDigest: Uint8Array;
  /** 64 bytes. */
  readonly beacon: Uint8Array;
  /** After the block: they vote on the next one. */
  readonly members: Members;
  /** Before the block: their votes made it final, so its certificates verify under their keys. */
  readonly electorate: Members;
  /** What the block's certificates are held against; undefined for genesis, which has none. */
  readonly facts?: BlockFacts;
};
