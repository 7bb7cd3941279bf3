/**
 * Blocks as far as they bear on storage nodes, one after the other, without anything else of a
 * ledger: what certificates and operations do to the members can be written down in a few lines.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import type { Result } from "../../../../src/base/result.js";
import { createShake256Reader } from "../../../../src/crypto/hash.js";
import { IntegrityCertificateSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  type Policy,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import type { BlockFacts } from "../../../../src/ledger/blocks/block-facts.js";
import { drawCommittee } from "../../../../src/ledger/certificates/committee.js";
import type { Members } from "../../../../src/ledger/members/members.js";
import type { StandingChange } from "../../../../src/ledger/storage-nodes/credit.js";
import type { Violation } from "../../../../src/ledger/violation.js";
import { bytesOf } from "../consortium.js";

export type OperationInit = NonNullable<
  MessageInitShape<typeof ControlOperationSchema>["operation"]
>;

export type StepOptions = {
  readonly operations?: readonly OperationInit[];
  /** Who of the committee of the block before signs; all of it when absent. */
  readonly signs?: (nodeId: string) => boolean;
  /** Bytes of the sealed records that the block adds. */
  readonly bytes?: number;
  /** Whether the block adds leaves; it does when absent. */
  readonly leaves?: boolean;
  readonly elapsedMs?: number;
};

export const blockMs = 1_000;

export class StorageBlocks {
  members: Members;
  height = 0;
  timestampMs = 1_000_000;
  readonly changes: StandingChange[] = [];
  readonly #policy: Policy;
  #facts: BlockFacts | undefined;

  constructor(members: Members, policy: Policy) {
    this.members = members;
    this.#policy = policy;
  }

  /** The committee of the head, sorted. */
  get committee(): readonly string[] {
    const { eligible, beacon } = defined(this.#facts, "there is a block");
    return drawCommittee({ eligible, beacon, round: 0 }).toSorted();
  }

  /** The members after the next block, which is not appended. */
  try(options: StepOptions = {}): Result<Members, Violation> {
    const collected: StandingChange[] = [];
    return this.#apply(options, collected);
  }

  /** Appends a block, which must be right. */
  step(options: StepOptions = {}): Members {
    const after = this.#apply(options, this.changes);
    if (!after.ok) throw new Error(`${after.error.field}: ${after.error.message}`);
    const height = this.height + 1;
    this.#facts = {
      height,
      blockId: bytesOf(`block ${height}`),
      createdRound: 0,
      proposerId: "manager-1",
      timestampMs: this.timestampMs,
      treeSize: height,
      hash1: bytesOf(`root ${height}`),
      beacon: beaconOf(height),
      leafCount: options.leaves === false ? 0 : 1,
      requiredAccepts: [],
      absences: [],
      eligible: this.members.eligibleStorageNodes(this.#policy),
    };
    this.timestampMs += options.elapsedMs ?? blockMs;
    this.height = height;
    this.members = after.value;
    return after.value;
  }

  node(nodeId: string) {
    return defined(this.members.storageNode(nodeId), "the node belongs");
  }

  #apply(options: StepOptions, changes: StandingChange[]): Result<Members, Violation> {
    const { operations = [], elapsedMs = blockMs, bytes = 0 } = options;
    const height = this.height + 1;
    const facts = this.#facts;
    return this.members.applyBlock({
      policy: this.#policy,
      height,
      timestampMs: this.timestampMs + elapsedMs,
      beacon: beaconOf(height),
      previousTimestampMs: this.timestampMs,
      operations: operations.map(operationOf),
      sealedBytes: this.members.totals.sealedBytes + bytes,
      previous: facts && { facts, integrity: this.#integrity(facts, options.signs) },
      onChange: (change) => changes.push(change),
    });
  }

  #integrity(facts: BlockFacts, signs: (nodeId: string) => boolean = () => true) {
    if (facts.leafCount === 0) return undefined;
    const signatures = this.committee
      .filter(signs)
      .map((nodeId) => ({ nodeId, audit: auditOf(nodeId, facts.height) }));
    return create(IntegrityCertificateSchema, { height: BigInt(facts.height), signatures });
  }
}

export function auditOf(nodeId: string, height: number): Uint8Array {
  return bytesOf(`audit of ${nodeId} at ${height}`);
}

export function beaconOf(height: number): Uint8Array {
  return createShake256Reader(bytesOf(`beacon ${height}`))(64);
}

export function operationOf(operation: OperationInit): ControlOperation {
  return create(ControlOperationSchema, { operation });
}
