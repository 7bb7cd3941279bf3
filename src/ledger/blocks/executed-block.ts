/**
 * What a block does to the ledger, once its content has been executed. Managers that make a block
 * and managers that check it compute it with this same code.
 */
import type { Leaf } from "../../gen/bss/v1/block_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { Members } from "../members/members.js";
import { appendLeaves, type Frontier, rootOf } from "../merkle/frontier.js";
import type { StoredNode } from "../merkle/nodes.js";
import { type SealedLeaf, sealLeaf } from "../records/records.js";
import type { LedgerHead } from "../state/head.js";
import { type StateWrite, stateDigest } from "../state/state.js";
import type { BlockFacts } from "./block-facts.js";
import type { BlockExecution, PlacedRecord } from "./execution.js";
import type { KnownWork } from "./known-work.js";

/** What follows from a block's content and the head before it, whatever its header says. */
export type BlockOutcome = {
  readonly leaves: readonly Leaf[];
  /** RFC 9162 leaf hash of each leaf. */
  readonly leafHashes: readonly Uint8Array[];
  /** Sealed records, in the order of the leaves. */
  readonly sealed: readonly Uint8Array[];
  /** The Merkle log after the block. */
  readonly frontier: Frontier;
  /** 32 bytes: its root. */
  readonly hash1: Uint8Array;
  /** The subtrees of the log that the block completes. */
  readonly newNodes: readonly StoredNode[];
  /** After the block. */
  readonly members: Members;
  /** Managers that it suspends as absent; sorted. */
  readonly absences: readonly string[];
  /** Sum of the lengths of all sealed records after the block. */
  readonly sealedBytes: number;
  /** Sorted by key. */
  readonly stateWrites: readonly StateWrite[];
  readonly placed: readonly PlacedRecord[];
};

/** A block that is right, with all that a manager stores when it becomes final. */
export type ExecutedBlock = {
  readonly facts: BlockFacts;
  /** The head after the block. */
  readonly head: LedgerHead;
  /** Sorted by key. */
  readonly stateWrites: readonly StateWrite[];
  readonly newNodes: readonly StoredNode[];
  /** Sealed records, in the order of the leaves. */
  readonly sealed: readonly Uint8Array[];
  readonly placed: readonly PlacedRecord[];
};

/** A header's values that do not follow from the content. */
type BlockIdentity = Pick<
  BlockFacts,
  "blockId" | "createdRound" | "proposerId" | "timestampMs" | "beacon"
>;

/** `epochKey` has 32 bytes; `known` is what has been sealed under it before. */
export type Sealing = { readonly epochKey: Uint8Array; readonly known: KnownWork };

/** Reads out an execution: seals what it placed, and appends it to the log. */
export function concludeExecution(
  execution: BlockExecution,
  head: LedgerHead,
  { epochKey, known }: Sealing,
): BlockOutcome {
  const leaves: Leaf[] = [];
  const leafHashes: Uint8Array[] = [];
  const sealed: Uint8Array[] = [];
  for (const { record } of execution.placed) {
    const each: SealedLeaf = known.sealed(record.hashHex) ?? sealLeaf(epochKey, record);
    leaves.push(each.leaf);
    leafHashes.push(each.leafHash);
    sealed.push(each.sealed);
  }
  const { frontier, nodes } = appendLeaves(head.frontier, leafHashes);
  return {
    leaves,
    leafHashes,
    sealed,
    frontier,
    newNodes: nodes,
    hash1: rootOf(frontier),
    members: execution.members(),
    sealedBytes: execution.sealedBytes,
    absences: execution.absences(),
    stateWrites: execution.writes(),
    placed: execution.placed,
  };
}

/** The block's facts and the head after it. */
export function executedBlock(
  outcome: BlockOutcome,
  before: LedgerHead,
  identity: BlockIdentity,
  policy: Policy,
): ExecutedBlock {
  const { frontier, stateWrites, newNodes, sealed, placed } = outcome;
  const facts: BlockFacts = {
    ...identity,
    height: before.height + 1,
    treeSize: frontier.size,
    hash1: outcome.hash1,
    leafCount: outcome.leaves.length,
    requiredAccepts: outcome.members.requiredAccepts,
    absences: outcome.absences,
    eligible: before.members.eligibleStorageNodes(policy),
  };
  const head: LedgerHead = {
    height: facts.height,
    blockId: facts.blockId,
    timestampMs: facts.timestampMs,
    frontier,
    stateDigest: stateDigest(before.stateDigest, stateWrites),
    beacon: facts.beacon,
    members: outcome.members,
    electorate: before.members,
    facts,
  };
  return { facts, head, stateWrites, newNodes, sealed, placed };
}

/**
 * Whether enough storage nodes are eligible for a block with leaves: the policy's minimum, and at
 * least one, as nobody could attest otherwise.
 */
export function storageSuffices(members: Members, policy: Policy): boolean {
  return members.eligibleStorageNodes(policy).length >= Math.max(1, policy.minStorage);
}
