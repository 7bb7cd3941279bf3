/**
 * What changes a storage node's standing, and by what it can be shown. Nothing in the ledger needs
 * these: they are for whoever wants to know why a score is what it is.
 */
import type { StorageNode } from "../members/member-lists.js";

export type StandingChangeKind =
  /** It is named by a block's canonical integrity certificate. */
  | "match"
  /** Its attestation came after the certificate was complete. */
  | "late"
  /** No block carried an attestation of it in time. */
  | "unseen"
  | "mismatch"
  | "audit-failed"
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
  /** What its credit is more or less by, and then is. */
  readonly creditDelta: number;
  readonly credit: number;
  /** Reward units earned by it. */
  readonly rewardDelta: bigint;
  /** Reward units paid by it. */
  readonly paidDelta: bigint;
};

/** What became of a node. */
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
