/**
 * Settlement: what block h does to storage nodes because of block h−1 ([R5.8.2] to [R5.8.3]). By
 * how much it moves credit and reward is in credit.ts.
 *
 *     h−1 is final ─▶ h carries its certificates: canonical from here
 *       named by IC        +1, a verification reward, and the reward for storing until now
 *       in the committee   the committee stays open: late attestations are carried by blocks up to
 *       but not named      h+7, and a node that is still missing then loses 1
 *       drawn for audit    managers recompute the digest; f+1 of them can make it fail meanwhile
 *
 * All of it follows from what the blocks say, so every node that reads them counts alike.
 */
import { defined } from "../../base/assert.js";
import { equalBytes, u64be } from "../../base/bytes.js";
import { createShake256Reader, domain, domainBytes } from "../../crypto/hash.js";
import type { IntegrityCertificate } from "../../gen/bss/v1/block_pb.js";
import type { LateAttestation } from "../../gen/bss/v1/genesis_pb.js";
import type { BlockFacts } from "../blocks/block-facts.js";
import { drawAmong, drawCommittee } from "../certificates/committee.js";
import { compareIds } from "../ids.js";
import type { AuditedAttestation, OpenCommittee, StorageNode } from "../members/member-lists.js";
import { invalidOperation, type Violation } from "../violation.js";
import { creditAfter, type StandingChangeKind } from "./credit.js";

/** The block before, and its integrity certificate as the block that settles it carries it. */
export type SettledBlock = {
  readonly facts: BlockFacts;
  /** Undefined when the block added no leaves. */
  readonly integrity: IntegrityCertificate | undefined;
};

/** A block stays open for so many blocks after it. */
export const openBlocks = 8;
/** At least one in so many of those whom a certificate names is audited. */
const namedPerAudit = 50;

/**
 * How many of `namedCount` nodes are audited: the policy's number, and more in a large committee.
 * A node without data gains 1 when it is not drawn and loses 100 when it is: with one audit for 50
 * nodes it loses 1 a block on average, however many there are (ours).
 */
export function auditsAmong(namedCount: number, auditsPerBlock: number): number {
  if (auditsPerBlock === 0) return 0;
  return Math.min(namedCount, Math.max(auditsPerBlock, Math.ceil(namedCount / namedPerAudit)));
}

/**
 * The committee of the block before as it stays open. Its audits are drawn by the beacon of the
 * block that settles it: while a node attests nobody knows yet whether it will be audited (ours).
 */
export function openedCommittee(
  { blockId, height, hash1, treeSize, eligible, beacon }: BlockFacts,
  { round, signatures }: IntegrityCertificate,
  settling: { readonly beacon: Uint8Array; readonly auditsPerBlock: number },
): OpenCommittee {
  const named = new Set(signatures.map(({ nodeId }) => nodeId));
  const missing = drawCommittee({ eligible, beacon, round }).filter((id) => !named.has(id));
  const audits = new Map(signatures.map(({ nodeId, audit }) => [nodeId, audit]));
  const drawn = drawAudited([...named], { ...settling, height });
  const audited = drawn.map((nodeId): AuditedAttestation => {
    return { nodeId, audit: defined(audits.get(nodeId), "drawn among those named") };
  });
  return { height, blockId, round, hash1, treeSize, missing: missing.sort(compareIds), audited };
}

/**
 * The nodes that are audited among those whom a certificate names, sorted: drawn as committees are,
 * from SHAKE256("bss/v1/audited" ‖ beacon ‖ u64 height).
 */
export function drawAudited(
  nodeIds: readonly string[],
  draw: { readonly beacon: Uint8Array; readonly height: number; readonly auditsPerBlock: number },
): readonly string[] {
  const ids = nodeIds.toSorted(compareIds);
  const size = auditsAmong(ids.length, draw.auditsPerBlock);
  const read = createShake256Reader(domainBytes(domain.audited), draw.beacon, u64be(draw.height));
  return drawAmong(ids, size, read).sort(compareIds);
}

/**
 * Closes a committee: a node that is still missing was not seen, and one that is still audited has
 * passed. `put` is given each node that changes.
 */
export function closeCommittee(
  { height, missing, audited }: OpenCommittee,
  nodes: ReadonlyMap<string, StorageNode>,
  put: (node: StorageNode, kind: StandingChangeKind, aboutHeight: number) => void,
): void {
  for (const nodeId of missing) {
    const node = nodes.get(nodeId);
    // A node that was admitted again since then starts anew; a suspended one is known to be away.
    if (node === undefined || node.admittedHeight > height) continue;
    if (node.suspension !== undefined) continue;
    put({ ...node, credit: creditAfter("unseen", node.credit) }, "unseen", height);
  }
  for (const { nodeId } of audited) {
    const node = nodes.get(nodeId);
    if (node?.auditFailed === true) put({ ...node, auditFailed: false }, "audit-passed", height);
  }
}

/**
 * OPERATION_INVALID unless a late attestation is of a member that is missing, and a mismatch names
 * other values than the block's.
 */
export function lateProblem(
  { nodeId, mismatch }: LateAttestation,
  committee: OpenCommittee,
  missing: ReadonlySet<string>,
  path: string,
): Violation | undefined {
  if (!missing.has(nodeId)) {
    return invalidOperation("No attestation of this node is missing.", `${path}.node_id`);
  }
  if (mismatch === undefined) return undefined;
  const { hash1, treeSize } = committee;
  const isMatch = equalBytes(mismatch.hash2, hash1) && mismatch.treeSize === BigInt(treeSize);
  if (!isMatch) return undefined;
  return invalidOperation("A mismatch cannot name the block's own values.", `${path}.mismatch`);
}
