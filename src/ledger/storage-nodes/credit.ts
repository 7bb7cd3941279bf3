/**
 * What a storage node has to gain and to lose ([R5.8.1], [R5.8.3]): its credit, which decides
 * whether it serves, and its reward. What moves either, and by how much, stands here; that it has
 * happened is found in storage-nodes-draft.ts (attestations, audits, operations) and settlement.ts
 * (committees that close).
 *
 *     credit   from 0 to 1000, 100 at admission; below the policy's boycott line a node is boycotted
 *     reward   units for each MATCH in time and for storing; an operator records what was paid
 *
 * `StandingChange` says what moved a standing. Nothing in the ledger needs it: it is for whoever
 * wants to know why a score is what it is.
 */
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { StorageNode, StorageStanding, StorageTotals } from "../members/member-lists.js";

/** Credit of a storage node that has just been admitted, and the most that one can have. */
export const creditAtAdmission = 100;
export const creditMax = 1_000;

const movements = {
  /** It is named by a block's canonical integrity certificate. */
  match: 1,
  /** Its MATCH came after the certificate was complete; see `creditAfter`. */
  late: 1,
  /** No block carried an attestation of it in time. */
  unseen: -1,
  /** It attested another root or tree size than the block's. */
  mismatch: -50,
  "audit-failed": -100,
} as const;

/** What moves a node's credit. */
type CreditMovement = keyof typeof movements;

/** How every storage node of genesis starts. */
export const initialStorageStanding: StorageStanding = {
  suspension: undefined,
  credit: creditAtAdmission,
  reward: 0n,
  paid: 0n,
  admittedHeight: 0,
  changedHeight: 0,
  changedAtMs: 0,
  absences: 0,
  lastAttestedHeight: 0,
  auditFailed: false,
  rewardedKibSeconds: 0n,
};

/**
 * A node's credit after a movement. A MATCH that came late gives back what the node has lost by not
 * being seen, and no more: the slow third is not dishonest, but nobody audits what comes late.
 */
export function creditAfter(movement: CreditMovement, credit: number): number {
  if (movement === "late" && credit >= creditAtAdmission) return credit;
  return Math.min(creditMax, Math.max(0, credit + movements[movement]));
}

/** Whether a node takes part again only if it is admitted again. */
export function isOut({ suspension }: Pick<StorageNode, "suspension">): boolean {
  return suspension === "boycotted" || suspension === "retired";
}

/** Whether a node has to be boycotted now. */
export function isBoycottDue(
  node: Pick<StorageNode, "suspension" | "credit">,
  { boycottLine }: Pick<Policy, "boycottLine">,
): boolean {
  return !isOut(node) && node.credit < boycottLine;
}

/** Not suspended, and with credit at or above the boycott line ([R5.2.1]). */
export function isAble(
  { suspension, credit }: Pick<StorageNode, "suspension" | "credit">,
  { boycottLine }: Pick<Policy, "boycottLine">,
): boolean {
  return suspension === undefined && credit >= boycottLine;
}

/**
 * Ids of the nodes from which committees are drawn, in the order of `nodes`: not suspended, credit
 * at or above the boycott line, and within their sponsor's share. With X the number of nodes that
 * meet the first two, and N of all managers, each sponsor brings its first ⌈X/N⌉ nodes: no
 * institution can pack the public.
 */
export function eligibleAmong(
  nodes: readonly StorageNode[],
  managerCount: number,
  policy: Pick<Policy, "boycottLine">,
): readonly string[] {
  const able = nodes.filter((each) => isAble(each, policy));
  const share = Math.ceil(able.length / managerCount);
  const taken = new Map<string, number>();
  const eligible: string[] = [];
  for (const { nodeId, sponsorId } of able) {
    const count = taken.get(sponsorId) ?? 0;
    if (count >= share) continue;
    taken.set(sponsorId, count + 1);
    eligible.push(nodeId);
  }
  return eligible;
}

const byteMsPerKibSecond = 1_024_000n;
const kibPerGib = 2n ** 20n;
const secondsPerDay = 86_400n;
const u64Max = 2n ** 64n - 1n;

/** The totals with the time from the block before until this one, and no new bytes. */
export function totalsUntil(totals: StorageTotals, elapsedMs: number): StorageTotals {
  const { sealedBytes, kibSeconds, remainder } = totals;
  const byteMs = BigInt(sealedBytes) * BigInt(elapsedMs) + BigInt(remainder);
  return {
    sealedBytes,
    kibSeconds: addedUnits(kibSeconds, byteMs / byteMsPerKibSecond),
    remainder: Number(byteMs % byteMsPerKibSecond),
  };
}

/** A node with its reward for a MATCH in time, and for storing until now. */
export function rewardedForMatch(
  node: StorageNode,
  totals: StorageTotals,
  policy: Pick<Policy, "storageReward" | "matchReward">,
): StorageNode {
  const stored = rewardedForStoring(node, totals, policy);
  return { ...stored, reward: addedUnits(stored.reward, policy.matchReward) };
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

/** The sum of two counts that fit 64 bits, which never wraps around. */
export function addedUnits(before: bigint, units: bigint): bigint {
  const sum = before + units;
  return sum < u64Max ? sum : u64Max;
}

export type StandingChangeKind =
  | CreditMovement
  | "audit-passed"
  | "admitted"
  | "unreachable"
  | "returned"
  | "boycotted"
  | "retired"
  | "paid";

export type StandingChange = {
  readonly nodeId: string;
  readonly kind: StandingChangeKind;
  /** The block that makes the change. */
  readonly height: number;
  /** The block that the change is about: the attested one; else that which makes the change. */
  readonly aboutHeight: number;
  /** By how much its credit changes, and what it is then. */
  readonly creditDelta: number;
  readonly credit: number;
  /** Reward units earned by it. */
  readonly rewardDelta: bigint;
  /** Reward units paid by it. */
  readonly paidDelta: bigint;
};

/** The change from one standing of a node to the next. */
export function changeOf(
  before: StorageNode,
  { nodeId, credit, reward, paid }: StorageNode,
  place: Pick<StandingChange, "kind" | "height" | "aboutHeight">,
): StandingChange {
  return {
    nodeId,
    ...place,
    credit,
    creditDelta: credit - before.credit,
    rewardDelta: reward - before.reward,
    paidDelta: paid - before.paid,
  };
}
