/**
 * The head of the storage chain: what checking and appending the next block needs. Follows from
 * genesis and the public blocks.
 */
import type { BlockFacts } from "../blocks/block-facts.js";
import type { GenesisState } from "../genesis.js";
import type { Members } from "../members/members.js";
import { emptyFrontier, type Frontier } from "../merkle/frontier.js";

export type StorageHead = {
  /** 0 for genesis. */
  readonly height: number;
  /** 32 bytes; the consortium id for genesis. */
  readonly storageBlockId: Uint8Array;
  /** 32 bytes: the managers' block of the same height; the consortium id for genesis. */
  readonly managerBlockId: Uint8Array;
  /** Unix ms. */
  readonly timestampMs: number;
  /** The Merkle log after the block. */
  readonly frontier: Frontier;
  /** After the block: they vote on the next one, and its committees are drawn among them. */
  readonly members: Members;
  /** What the block's certificates are held against; undefined for genesis, which has none. */
  readonly facts?: BlockFacts;
};

/** The head from which a storage node starts. */
export function genesisStorageHead(genesis: GenesisState): StorageHead {
  return {
    height: 0,
    storageBlockId: genesis.consortiumId,
    managerBlockId: genesis.consortiumId,
    timestampMs: genesis.timestampMs,
    frontier: emptyFrontier,
    members: genesis.members,
  };
}
