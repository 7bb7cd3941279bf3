/**
 * The head: the last final block, reduced to what checking and executing the next one needs.
 *
 * Together with the state it is all that a manager has to know. Both follow from genesis and the
 * blocks by replay.
 */
import { create } from "@bufbuild/protobuf";
import { assert } from "../../base/assert.js";
import { emptyBytes, equalBytes } from "../../base/bytes.js";
import { type HeadFacts, HeadStateSchema } from "../../gen/bss/store/v1/head_pb.js";
import type { BlockFacts } from "../blocks/block-facts.js";
import type { GenesisState } from "../genesis.js";
import { Members } from "../members/members.js";
import {
  decodeFrontier,
  emptyFrontier,
  encodeFrontier,
  type Frontier,
  rootOf,
} from "../merkle/frontier.js";
import { decodeCanonical, encode, safeInteger } from "../wire.js";
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

/** The head as bytes, for a store. */
export function encodeHead(head: LedgerHead): Uint8Array {
  const { members, electorate, facts } = head;
  const isSame = equalBytes(members.digest(), electorate.digest());
  return encode(
    HeadStateSchema,
    create(HeadStateSchema, {
      height: BigInt(head.height),
      blockId: head.blockId,
      timestampUnixMs: BigInt(head.timestampMs),
      frontier: encodeFrontier(head.frontier),
      stateDigest: head.stateDigest,
      beacon: head.beacon,
      members: members.encode(),
      electorate: isSame ? emptyBytes : electorate.encode(),
      ...(facts === undefined ? {} : { facts: factsOf(facts) }),
    }),
  );
}

/** Reads what `encodeHead` wrote; undefined for any other bytes. */
export function decodeHead(bytes: Uint8Array): LedgerHead | undefined {
  const state = decodeCanonical(HeadStateSchema, bytes);
  if (state === undefined) return undefined;
  const height = safeInteger(state.height);
  const timestampMs = safeInteger(state.timestampUnixMs);
  const frontier = decodeFrontier(state.frontier);
  const members = Members.decode(state.members);
  const electorate = state.electorate.length === 0 ? members : Members.decode(state.electorate);
  if (height === undefined || timestampMs === undefined || !frontier.ok) return undefined;
  if (members === undefined || electorate === undefined) return undefined;
  if ((height === 0) !== (state.facts === undefined)) return undefined;
  const { blockId, stateDigest, beacon } = state;
  return {
    height,
    blockId,
    timestampMs,
    frontier: frontier.value,
    stateDigest,
    beacon,
    members,
    electorate,
    ...(state.facts && {
      facts: blockFacts(state.facts, {
        blockId,
        beacon,
        height,
        timestampMs,
        frontier: frontier.value,
      }),
    }),
  };
}

/** Facts as far as they do not follow from the rest of the head. */
export function factsOf(facts: BlockFacts) {
  const { createdRound, proposerId, leafCount, requiredAccepts, absences, eligible } = facts;
  return {
    createdRound,
    proposerId,
    leafCount,
    requiredAccepts: [...requiredAccepts],
    absences: [...absences],
    eligible: [...eligible],
  };
}

/** The facts of the head that `rest` is of. */
export function blockFacts(
  { createdRound, proposerId, leafCount, requiredAccepts, absences, eligible }: HeadFacts,
  rest: Pick<BlockFacts, "blockId" | "beacon" | "height" | "timestampMs"> & {
    readonly frontier: Frontier;
  },
): BlockFacts {
  const { blockId, beacon, height, timestampMs, frontier } = rest;
  return {
    blockId,
    height,
    createdRound,
    proposerId,
    timestampMs,
    beacon,
    leafCount,
    treeSize: frontier.size,
    hash1: rootOf(frontier),
    requiredAccepts,
    absences,
    eligible,
  };
}
