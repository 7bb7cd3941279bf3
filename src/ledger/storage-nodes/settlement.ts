/**
 * Settlement: what block h does to storage nodes because of block h−1 ([R5.8.2] to [R5.8.3]).
 *
 *     h−1 is final ─▶ h carries its certificates: canonical from here
 *       named by IC        +1, a verification reward, and the reward for storing until now
 *       in the committee   the committee stays open: late attestations are carried by blocks up to
 *       but not named      h+7, and who is still missing then loses 1
 *       drawn for audit    managers recompute the digest; f+1 of them can make it fail meanwhile
 *
 * All of it follows from what the blocks say, so every node that reads them counts alike.
 */

import { defined } from "../../base/assert.js";
import { u64be } from "../../base/bytes.js";
import { createShake256Reader, domain, domainBytes } from "../../crypto/hash.js";
import type { IntegrityCertificate } from "../../gen/bss/v1/block_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { BlockFacts } from "../blocks/block-facts.js";
import { drawBelow, drawCommittee } from "../certificates/committee.js";
import { compareIds } from "../ids.js";
import {
  type AuditedAttestation,
  creditAtAdmission,
  type OpenCommittee,
  type StorageNode,
  type StorageTotals,
} from "../members/member-lists.js";

/** The block before, and its integrity certificate as the block that settles it carries it. */
export type SettledBlock = {
  readonly facts: BlockFacts;
  /** Undefined when the block added no leaves. */
  readonly integrity: IntegrityCertificate | undefined;
};

/** A block stays open for so many blocks after it. */
export const openBlocks = 8;
/** Credit for a MATCH in time, and lost by who was not seen, contradicted, or failed an audit. */
export const creditOf = { match: 1, unseen: -1, mismatch: -50, auditFailed: -100 } as const;

/** At least one in so many of those whom a certificate names is audited. */
const namedPerAudit = 50;

/**
 * The credit of a node whose MATCH came late: the slow third is not dishonest, so it gets back what
 * it has lost by not being seen, and no more, as nobody audits what comes late.
 */
export function creditWhenLate(credit: number): number {
  return credit < creditAtAdmission ? credit + creditOf.match : credit;
}

/**
 * How many of `namedCount` nodes are audited: the policy's number, and more in a large committee.
 * A node without data gains 1 when it is not drawn and loses 100 when it is: with one audit for 50
 * nodes it loses 1 a block on average, however many there are (ours).
 */
export function auditsAmong(namedCount: number, auditsPerBlock: number): number {
  if (auditsPerBlock === 0) return 0;
  return Math.min(namedCount, Math.max(auditsPerBlock, Math.ceil(namedCount / namedPerAudit)));
}

const byteMsPerKibSecond = 1_024_000n;
const kibPerGib = 2n ** 20n;
const secondsPerDay = 86_400n;
const u64Max = 2n ** 64n - 1n;

/** The totals with the time from the block before until this one, and no new bytes. */
export function totalsUntil(totals: StorageTotals, elapsedMs: number): StorageTotals {
  const { sealedBytes, kibSeconds, remainder } = totals;
  const byteMs = BigInt(sealedBytes) * BigInt(elapsedMs) + BigInt(remainder);
  const sum = kibSeconds + byteMs / byteMsPerKibSecond;
  return {
    sealedBytes,
    kibSeconds: sum < u64Max ? sum : u64Max,
    remainder: Number(byteMs % byteMsPerKibSecond),
  };
}

/**
 * A node with what it has earned by storing until now. What is earned since genesis is rounded, not
 * each stretch, so that however often a node is rewarded it loses no more than a unit in all.
 */
export function rewardedForStoring(
  node: StorageNode,
  { kibSeconds }: StorageTotals,
  { storageReward }: Pick<Policy, "storageReward">,
): StorageNode {
  const earnedUntil = (sum: bigint) => (sum * storageReward) / (kibPerGib * secondsPerDay);
  const units = earnedUntil(kibSeconds) - earnedUntil(node.rewardedKibSeconds);
  const reward = node.auditFailed ? node.reward : addedUnits(node.reward, units);
  return { ...node, reward, rewardedKibSeconds: kibSeconds };
}

/** Reward units never wrap around. */
export function addedUnits(reward: bigint, units: bigint): bigint {
  const sum = reward + units;
  return sum < u64Max ? sum : u64Max;
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
 * Who is audited among those whom a certificate names, sorted: Fisher–Yates as for committees, from
 * SHAKE256("bss/v1/audited" ‖ beacon ‖ u64 height).
 */
export function drawAudited(
  nodeIds: readonly string[],
  draw: { readonly beacon: Uint8Array; readonly height: number; readonly auditsPerBlock: number },
): readonly string[] {
  const ids = nodeIds.toSorted(compareIds);
  const size = auditsAmong(ids.length, draw.auditsPerBlock);
  const read = createShake256Reader(domainBytes(domain.audited), draw.beacon, u64be(draw.height));
  for (let place = 0; place < size; place++) {
    const chosen = place + drawBelow(ids.length - place, read);
    const id = defined(ids[chosen], "a draw stays within the nodes");
    ids[chosen] = defined(ids[place], "no more are drawn than there are");
    ids[place] = id;
  }
  return ids.slice(0, size).sort(compareIds);
}
