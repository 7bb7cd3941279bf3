/**
 * Committees whose late attestations blocks may still carry: who may be carried, and what is left
 * of a committee when it closes.
 */
import { equalBytes } from "../../base/bytes.js";
import type { LateAttestation } from "../../gen/bss/v1/genesis_pb.js";
import type { OpenCommittee, StorageNode } from "../members/member-lists.js";
import { type Violation, violation } from "../violation.js";
import { creditOf } from "./settlement.js";
import type { StandingChangeKind } from "./storage-changes.js";

/** Whoever is still missing was not seen; whoever is still audited has passed. */
export function closeCommittee(
  { height, missing, audited }: OpenCommittee,
  nodes: ReadonlyMap<string, StorageNode>,
  put: (node: StorageNode, kind: StandingChangeKind, aboutHeight: number) => void,
): void {
  for (const nodeId of missing) {
    const node = nodes.get(nodeId);
    // Who was admitted again since then starts anew, and who is suspended is known to be away.
    if (node === undefined || node.admittedHeight > height) continue;
    if (node.suspension !== undefined) continue;
    put({ ...node, credit: Math.max(0, node.credit + creditOf.unseen) }, "unseen", height);
  }
  for (const { nodeId } of audited) {
    const node = nodes.get(nodeId);
    if (node?.auditFailed === true) put({ ...node, auditFailed: false }, "audit-passed", height);
  }
}

/** OPERATION_INVALID unless a late attestation is of a missing member, and no false mismatch. */
export function lateProblem(
  { nodeId, mismatch }: LateAttestation,
  committee: OpenCommittee,
  missing: ReadonlySet<string>,
  path: string,
): Violation | undefined {
  if (!missing.has(nodeId)) {
    return invalid("No attestation of this node is missing.", `${path}.node_id`);
  }
  if (mismatch === undefined) return undefined;
  const { hash1, treeSize } = committee;
  const isMatch = equalBytes(mismatch.hash2, hash1) && mismatch.treeSize === BigInt(treeSize);
  return isMatch ? invalid("These are the block's own values.", `${path}.mismatch`) : undefined;
}

function invalid(message: string, field: string): Violation {
  return violation("OPERATION_INVALID", message, field);
}
