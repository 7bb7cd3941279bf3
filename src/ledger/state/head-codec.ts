/** The head as bytes, for a store. */
import { create, toBinary } from "@bufbuild/protobuf";
import { emptyBytes, equalBytes } from "../../base/bytes.js";
import { type HeadFacts, HeadStateSchema } from "../../gen/bss/store/v1/head_pb.js";
import type { BlockFacts } from "../blocks/block-facts.js";
import { Members } from "../members/members.js";
import { decodeFrontier, encodeFrontier, type Frontier, rootOf } from "../merkle/frontier.js";
import { decodeCanonical, safeInteger } from "../wire.js";
import type { LedgerHead } from "./head.js";

export function encodeHead(head: LedgerHead): Uint8Array {
  const { members, electorate, facts } = head;
  const isSame = equalBytes(members.digest(), electorate.digest());
  return toBinary(
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
