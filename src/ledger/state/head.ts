/**
 * The head: the last final block, reduced to what checking and executing the next one needs.
 *
 * Together with the state it is all that a manager has to know. Both follow from genesis and the
 * blocks by replay.
 */
import { assert } from "../../base/assert.js";
import type { BlockFacts } from "../blocks/block-facts.js";
import type { GenesisState } from "../genesis.js";
import type { Members } from "../members/members.js";
import { emptyFrontier, type Frontier } from "../merkle/frontier.js";
import { type StateWrite, stateDigest } from "./state.js";
import { stateOperationProblem, writeStateOperation } from "./state-operations.js";
import { StateTables } from "./state-tables.js";

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

/**
 * The head of a ledger without blocks, and the state's first entries: the participants and meters
 * of genesis. The digest of the state starts from the consortium id.
 */
export function genesisHead(genesis: GenesisState): {
  readonly head: LedgerHead;
  /** Sorted by key. */
  readonly stateWrites: readonly StateWrite[];
} {
  const { consortiumId, timestampMs, beacon, members, policy } = genesis;
  const tables = new StateTables({ get: () => undefined });
  const context = { policy, height: 0 };
  for (const operation of genesis.operations) {
    const refused = stateOperationProblem(operation, tables, context);
    assert(refused === undefined, "a parsed genesis holds operations that fit");
    writeStateOperation(operation, tables, context);
  }
  const stateWrites = tables.writes();
  const head: LedgerHead = {
    height: 0,
    blockId: consortiumId,
    timestampMs,
    beacon,
    frontier: emptyFrontier,
    stateDigest: stateDigest(consortiumId, stateWrites),
    members,
    electorate: members,
  };
  return { head, stateWrites };
}
