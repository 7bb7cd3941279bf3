/**
 * Attestations that the certificate of their block does not name ([R5.8.2], [R5.9.2]): an IC closes
 * at its threshold, and the slow third is not dishonest. What comes up to 8 blocks later is carried
 * by a block of its own accord, so that the node is not counted as unseen; and a MISMATCH, so that
 * it counts.
 *
 *     of the open height ─▶ kept ─▶ the block is final ─▶ its certificate is in the next block:
 *     of a decided one ───▶                               who is missing in it is carried
 *
 * An attestation waits for a block that is made anyway: it never calls for one. Bounded: a few of
 * each storage node and height.
 */
import { create } from "@bufbuild/protobuf";
import { equalBytes } from "../../base/bytes.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  type LateAttestation,
  LateAttestationSchema,
} from "../../gen/bss/v1/genesis_pb.js";
import { type Attestation, AttestationVerdict } from "../../gen/bss/v1/vote_pb.js";
import { controlOperationBytesMax } from "../../ledger/blocks/block-parsing.js";
import { compareIds } from "../../ledger/ids.js";
import type { OpenCommittee } from "../../ledger/members/member-lists.js";
import type { LedgerHead } from "../../ledger/state/head.js";
import { openBlocks } from "../../ledger/storage-nodes/settlement.js";
import { lateAttestationsMax } from "../../ledger/storage-nodes/storage-operations.js";

/** Kept of one storage node and height: mostly one; rounds and candidates add to them. */
export const keptPerNodeMax = 4;
/** More than a late attestation adds to an operation besides the node's id. */
const attestationBytes = 180;
/** More than an operation has besides its attestations. */
const operationBytes = 64;

export class LateAttestations {
  readonly #head: () => LedgerHead;
  /** By height, then by node; the oldest of a node first. */
  readonly #byHeight = new Map<number, Map<string, Attestation[]>>();

  constructor(head: () => LedgerHead) {
    this.#head = head;
  }

  /**
   * Whether an attestation of a decided height could still be carried: before its signature is
   * verified, which is worth it only then.
   */
  wants(attestation: Attestation): boolean {
    const { height, facts, members } = this.#head();
    const { blockId, nodeId, round } = attestation;
    if (attestation.height === BigInt(height)) {
      const isOfHead = facts !== undefined && equalBytes(blockId, facts.blockId);
      return isOfHead && !this.#has(attestation);
    }
    const committee = members.openCommittees.find(
      (each) => BigInt(each.height) === attestation.height,
    );
    if (committee === undefined || committee.round !== round) return false;
    if (!equalBytes(committee.blockId, blockId)) return false;
    return committee.missing.includes(nodeId) && !this.#has(attestation);
  }

  /** Keeps an attestation whose signature and shape are right, of the open height or before it. */
  note(attestation: Attestation): void {
    const height = Number(attestation.height);
    const headHeight = this.#head().height;
    // Managers that have decided the open height already send what is of the one after it.
    if (height > headHeight + 2 || height <= headHeight - openBlocks) return;
    if (this.#has(attestation)) return;
    const ofHeight = this.#byHeight.get(height) ?? new Map<string, Attestation[]>();
    const ofNode = ofHeight.get(attestation.nodeId) ?? [];
    ofNode.push(attestation);
    if (ofNode.length > keptPerNodeMax) ofNode.shift();
    this.#byHeight.set(height, ofHeight.set(attestation.nodeId, ofNode));
  }

  /** What the next block should carry, the oldest blocks first: they are closed soonest. */
  operations(): readonly ControlOperation[] {
    const operations: ControlOperation[] = [];
    let room = lateAttestationsMax;
    for (const committee of this.#head().members.openCommittees) {
      const late = this.#lateOf(committee).slice(0, room);
      room -= late.length;
      const { height, round } = committee;
      for (const attestations of chunks(late)) {
        const value = { height: BigInt(height), round, attestations };
        const operation = { case: "carryAttestations" as const, value };
        operations.push(create(ControlOperationSchema, { operation }));
      }
    }
    return operations;
  }

  /** Forgets what is closed, carried, or of another block than the final one. */
  onAppended(): void {
    const { height: headHeight, members } = this.#head();
    for (const [height, ofHeight] of this.#byHeight) {
      if (height >= headHeight) continue;
      const committee = members.openCommittees.find((each) => each.height === height);
      if (committee === undefined) {
        this.#byHeight.delete(height);
        continue;
      }
      const missing = new Set(committee.missing);
      for (const nodeId of ofHeight.keys()) if (!missing.has(nodeId)) ofHeight.delete(nodeId);
    }
  }

  #lateOf(committee: OpenCommittee): readonly LateAttestation[] {
    const ofHeight = this.#byHeight.get(committee.height);
    if (ofHeight === undefined) return [];
    return committee.missing.toSorted(compareIds).flatMap((nodeId) => {
      const stated = (ofHeight.get(nodeId) ?? []).flatMap((each) => carried(each, committee));
      // A node that has signed both has to stand by the worse one.
      const worst = stated.find(({ mismatch }) => mismatch !== undefined) ?? stated[0];
      return worst === undefined ? [] : [worst];
    });
  }

  #has({ height, nodeId, signature }: Attestation): boolean {
    const ofNode = this.#byHeight.get(Number(height))?.get(nodeId) ?? [];
    return ofNode.some((each) => equalBytes(each.signature, signature));
  }
}

/** An attestation of the committee's block and round as a block carries it; none of any other. */
function carried(attestation: Attestation, committee: OpenCommittee): readonly LateAttestation[] {
  const { nodeId, blockId, round, verdict, hash2, treeSize, audit, signature } = attestation;
  if (round !== committee.round || !equalBytes(blockId, committee.blockId)) return [];
  const isMatch = verdict === AttestationVerdict.MATCH;
  const isSame = equalBytes(hash2, committee.hash1) && treeSize === BigInt(committee.treeSize);
  // A mismatch with the block's own values, or a match with others, cannot be carried.
  if (isMatch !== isSame) return [];
  const late = { nodeId, audit, signature, ...(isMatch ? {} : { mismatch: { hash2, treeSize } }) };
  return [create(LateAttestationSchema, late)];
}

/** Splits attestations into groups that each fit into one operation. */
function chunks(late: readonly LateAttestation[]): readonly LateAttestation[][] {
  const parts: LateAttestation[][] = [];
  let room = 0;
  for (const each of late) {
    const bytes = attestationBytes + each.nodeId.length;
    if (bytes > room) {
      parts.push([]);
      room = controlOperationBytesMax - operationBytes;
    }
    parts.at(-1)?.push(each);
    room -= bytes;
  }
  return parts;
}
