/**
 * Storage nodes while a block is applied: first the block before is settled (settlement.ts), then
 * come the operations; in the end committees close, and nodes below the boycott line are boycotted.
 *
 *     ┌────────── AdmitStorageNode ─────────────┐
 *     ▼                                         │
 *   active ──SuspendStorageNode──▶ unreachable  │
 *     │  ◀──ReturnStorageNode────────┘   │      │
 *     ├── credit below the line ─────────┼──▶ boycotted
 *     └── RetireStorageNode ─────────────┴──▶ retired
 */
import { equalBytes } from "../../base/bytes.js";
import type {
  AdmitStorageNode,
  CarryAttestations,
  FailAudit,
  LateAttestation,
  RecordPayout,
  RetireStorageNode,
  ReturnStorageNode,
  SuspendStorageNode,
} from "../../gen/bss/v1/genesis_pb.js";
import { compareIds } from "../ids.js";
import { absencesWith, oldestClaim, resumePossibleAtMs } from "../members/manager-suspensions.js";
import {
  faultsMaxOf,
  type MemberLists,
  type Officer,
  type OpenCommittee,
  type StorageNode,
  type StorageTotals,
} from "../members/member-lists.js";
import type { OperationPlace } from "../members/operations.js";
import { Sponsored } from "../members/sponsored.js";
import { invalidOperation, type Violation } from "../violation.js";
import {
  changeOf,
  creditAfter,
  creditAtAdmission,
  initialStorageStanding,
  isBoycottDue,
  isOut,
  rewardedForMatch,
  type StandingChange,
  type StandingChangeKind,
  totalsUntil,
} from "./credit.js";
import {
  closeCommittee,
  lateProblem,
  openBlocks,
  openedCommittee,
  type SettledBlock,
} from "./settlement.js";
import { lateAttestationsMax } from "./storage-operations.js";

/** What a block brings besides its operations. */
export type BlockStart = {
  /** 64 bytes; the block's. */
  readonly beacon: Uint8Array;
  /** Of the block before, Unix ms. */
  readonly previousTimestampMs: number;
  /** The block before; undefined in block 1, whose predecessor is genesis. */
  readonly previous?: SettledBlock | undefined;
  /** Told of every change of a standing. */
  readonly onChange?: ((change: StandingChange) => void) | undefined;
};

/** Blocks by which a node that returns may be behind the block that takes it back. */
const returnLagMax = 9;

type Lists = Pick<MemberLists, "storageNodes" | "openCommittees" | "totals">;

export class StorageNodesDraft {
  readonly #place: OperationPlace;
  readonly #start: BlockStart | undefined;
  readonly #base: MemberLists;
  readonly #officers: ReadonlyMap<string, Officer>;
  readonly #nodes: Map<string, StorageNode>;
  #open: readonly OpenCommittee[];
  #totals: StorageTotals;
  #changed = false;
  #lateCount = 0;
  /** Counted only when somebody joins, as most blocks admit nobody. */
  #sponsored: Sponsored | undefined;

  /**
   * Without `start` nothing is settled or closed: for genesis, and to try whether an operation
   * fits.
   */
  constructor(base: MemberLists, place: OperationPlace, start?: BlockStart) {
    this.#place = place;
    this.#start = start;
    this.#base = base;
    this.#officers = new Map(base.officers.map((each) => [each.officerId, each]));
    this.#nodes = new Map(base.storageNodes.map((each) => [each.nodeId, each]));
    this.#open = base.openCommittees;
    this.#totals = base.totals;
    if (start !== undefined) this.#settle(start);
  }

  node(id: string): StorageNode | undefined {
    return this.#nodes.get(id);
  }

  /** Why the sponsor cannot have one more node; undefined if it can, or has this one already. */
  fullProblem({ nodeId, sponsorId }: AdmitStorageNode): Violation | undefined {
    if (this.#nodes.get(nodeId)?.sponsorId === sponsorId) return undefined;
    this.#sponsored ??= new Sponsored(this.#nodes.values(), this.#base.managers.length);
    return this.#sponsored.fullProblem(sponsorId);
  }

  /** Whether a node of this id has left or was boycotted, and may come back with this key. */
  mayReturn({ nodeId, signingKey }: AdmitStorageNode): boolean {
    const node = this.#nodes.get(nodeId);
    return node !== undefined && isOut(node) && equalBytes(node.signingKey, signingKey);
  }

  /** Ids and keys have been checked. */
  admit({ nodeId, signingKey, tlsSpkiSha256, sponsorId }: AdmitStorageNode): void {
    const known = this.#nodes.get(nodeId);
    this.#sponsored?.move(known?.sponsorId, sponsorId);
    const { reward = 0n, paid = 0n, lastAttestedHeight = 0, credit = 0 } = known ?? {};
    this.#put(
      {
        nodeId,
        signingKey,
        tlsSpkiSha256,
        sponsorId,
        ...initialStorageStanding,
        reward,
        paid,
        lastAttestedHeight,
        ...this.#changedHere(),
        admittedHeight: this.#place.height,
        rewardedKibSeconds: this.#totals.kibSeconds,
      },
      "admitted",
      { creditDelta: creditAtAdmission - credit },
    );
  }

  retire({ nodeId, admittedHeight, operatorId }: RetireStorageNode): Violation | undefined {
    const path = "retire_storage_node";
    const node = this.#nodes.get(nodeId);
    if (node === undefined)
      return invalidOperation("No storage node has this id.", `${path}.node_id`);
    if (node.suspension === "retired") {
      return invalidOperation("The node has retired already.", `${path}.node_id`);
    }
    if (BigInt(node.admittedHeight) !== admittedHeight) {
      return invalidOperation(
        "The node was admitted at another height.",
        `${path}.admitted_height`,
      );
    }
    if (operatorId !== "" && !this.#isSponsorsOperator(operatorId, node)) {
      return invalidOperation(
        "No operator of the node's sponsor has this id.",
        `${path}.operator_id`,
      );
    }
    this.#put({ ...node, suspension: "retired", ...this.#changedHere() }, "retired");
    return undefined;
  }

  suspend({ nodeId, claims }: SuspendStorageNode): Violation | undefined {
    const path = "suspend_storage_node";
    const { policy, height, timestampMs } = this.#place;
    const node = this.#nodes.get(nodeId);
    if (node === undefined)
      return invalidOperation("No storage node has this id.", `${path}.node_id`);
    if (policy.unreachableAfterMs === 0) {
      return invalidOperation("By this consortium's policy no node is suspended.", path);
    }
    if (node.suspension !== undefined) {
      return invalidOperation("The node is suspended already.", `${path}.node_id`);
    }
    const problem = this.#witnessesProblem(claims, `${path}.claims`);
    if (problem !== undefined) return problem;
    const oldest = oldestClaim(node, height);
    for (const [i, claim] of claims.entries()) {
      const at = Number(claim.height);
      if (at >= oldest && at < height) continue;
      return invalidOperation(
        "The claim is not of the last blocks.",
        `${path}.claims[${i}].height`,
      );
    }
    const absences = absencesWith(node, timestampMs, policy);
    const suspended = { ...node, suspension: "unreachable" as const, absences };
    this.#put({ ...suspended, ...this.#changedHere() }, "unreachable");
    return undefined;
  }

  takeBack(statement: ReturnStorageNode): Violation | undefined {
    const path = "return_storage_node";
    const { policy, height, timestampMs } = this.#place;
    const node = this.#nodes.get(statement.nodeId);
    if (node?.suspension !== "unreachable") {
      return invalidOperation("The node is not suspended as unreachable.", `${path}.node_id`);
    }
    if (BigInt(node.changedHeight) !== statement.suspendedHeight) {
      return invalidOperation("Another block suspended the node.", `${path}.suspended_height`);
    }
    const held = Number(statement.heldHeight);
    if (held < height - returnLagMax || held >= height) {
      return invalidOperation("The node is not level with the chain.", `${path}.held_height`);
    }
    if (timestampMs < resumePossibleAtMs(node, policy)) {
      return invalidOperation("The node has to wait longer before it returns.", path);
    }
    const rewardedKibSeconds = this.#totals.kibSeconds;
    const back = { ...node, suspension: undefined, rewardedKibSeconds };
    this.#put({ ...back, ...this.#changedHere() }, "returned");
    return undefined;
  }

  carry({ height, round, attestations }: CarryAttestations): Violation | undefined {
    const path = "carry_attestations";
    const committee = this.#openBefore(height);
    if (committee === undefined) {
      return invalidOperation("No committee of this height is open.", `${path}.height`);
    }
    if (committee.round !== round)
      return invalidOperation("The committee of this height is of another round.", `${path}.round`);
    if (this.#lateCount + attestations.length > lateAttestationsMax) {
      const message = `A block carries at most ${lateAttestationsMax} attestations.`;
      return invalidOperation(message, `${path}.attestations`);
    }
    const missing = new Set(committee.missing);
    for (const [i, each] of attestations.entries()) {
      const problem = lateProblem(each, committee, missing, `${path}.attestations[${i}]`);
      if (problem !== undefined) return problem;
    }
    this.#lateCount += attestations.length;
    for (const { nodeId } of attestations) missing.delete(nodeId);
    this.#replace(committee, { missing: committee.missing.filter((id) => missing.has(id)) });
    for (const each of attestations) this.#noteLate(each, committee.height);
    return undefined;
  }

  failAudit({ nodeId, height, findings }: FailAudit): Violation | undefined {
    const path = "fail_audit";
    const committee = this.#openBefore(height);
    if (committee === undefined) {
      return invalidOperation("No committee of this height is open.", `${path}.height`);
    }
    const audited = committee.audited.filter((each) => each.nodeId !== nodeId);
    if (audited.length === committee.audited.length) {
      return invalidOperation("The node was not drawn for this audit.", `${path}.node_id`);
    }
    const problem = this.#witnessesProblem(findings, `${path}.findings`);
    if (problem !== undefined) return problem;
    this.#replace(committee, { audited });
    this.#dropOlderAudits(nodeId, committee.height);
    const node = this.#nodes.get(nodeId);
    if (node === undefined) return undefined;
    const credit = creditAfter("audit-failed", node.credit);
    const rewardedKibSeconds = this.#totals.kibSeconds;
    this.#put({ ...node, credit, auditFailed: true, rewardedKibSeconds }, "audit-failed", {
      aboutHeight: committee.height,
    });
    return undefined;
  }

  pay({ nodeId, amount, paidBefore, operatorId }: RecordPayout): Violation | undefined {
    const path = "record_payout";
    const node = this.#nodes.get(nodeId);
    if (node === undefined)
      return invalidOperation("No storage node has this id.", `${path}.node_id`);
    if (!this.#isSponsorsOperator(operatorId, node)) {
      return invalidOperation(
        "No operator of the node's sponsor has this id.",
        `${path}.operator_id`,
      );
    }
    if (paidBefore !== node.paid) {
      return invalidOperation(`${node.paid} units had been paid before.`, `${path}.paid_before`);
    }
    const due = node.reward - node.paid;
    if (amount > due) return invalidOperation(`${due} units are due.`, `${path}.amount`);
    this.#put({ ...node, paid: node.paid + amount }, "paid", { paidDelta: amount });
    return undefined;
  }

  /**
   * The lists after the operations so far, as if they were all; undefined when nothing changed.
   * `sealedBytes` is the sum of all sealed records after the block.
   */
  conclude(sealedBytes: number): Lists | undefined {
    const { height, policy } = this.#place;
    const totals = { ...this.#totals, sealedBytes };
    const grown = !equalTotals(totals, this.#base.totals);
    if (this.#start === undefined) {
      return this.#changed ? this.#lists(this.#nodes, this.#open, totals) : undefined;
    }
    const closing = this.#open.filter((each) => each.height <= height - openBlocks);
    if (!this.#changed && closing.length === 0 && !grown) return undefined;
    const nodes = new Map(this.#nodes);
    const { onChange } = this.#start;
    const put = (node: StorageNode, kind: StandingChangeKind, aboutHeight = height) => {
      const before = nodes.get(node.nodeId);
      nodes.set(node.nodeId, node);
      if (before !== undefined) onChange?.(changeOf(before, node, { kind, height, aboutHeight }));
    };
    for (const committee of closing) closeCommittee(committee, nodes, put);
    for (const node of nodes.values()) {
      if (!isBoycottDue(node, policy)) continue;
      put({ ...node, suspension: "boycotted", ...this.#changedHere() }, "boycotted");
    }
    const open = this.#open.filter((each) => each.height > height - openBlocks);
    return this.#lists(nodes, open, totals);
  }

  #settle({ previousTimestampMs, previous, beacon }: BlockStart): void {
    const { policy, timestampMs } = this.#place;
    this.#totals = totalsUntil(this.#totals, timestampMs - previousTimestampMs);
    const { facts, integrity } = previous ?? {};
    if (facts === undefined || integrity === undefined) return;
    const { auditsPerBlock } = policy;
    const committee = openedCommittee(facts, integrity, { beacon, auditsPerBlock });
    this.#open = [...this.#open, committee];
    this.#changed = true;
    for (const { nodeId } of integrity.signatures) {
      const node = this.#nodes.get(nodeId);
      if (node === undefined) continue;
      const rewarded = rewardedForMatch(node, this.#totals, policy);
      const credit = creditAfter("match", node.credit);
      const lastAttestedHeight = Math.max(node.lastAttestedHeight, facts.height);
      this.#put({ ...rewarded, credit, lastAttestedHeight }, "match", {
        aboutHeight: facts.height,
      });
    }
  }

  /** Why the managers named by claims or findings are not f+1 of this consortium. */
  #witnessesProblem(
    witnesses: readonly { readonly managerId: string }[],
    path: string,
  ): Violation | undefined {
    const { managers } = this.#base;
    const needed = faultsMaxOf(managers.length) + 1;
    if (witnesses.length !== needed) {
      return invalidOperation(`${needed} managers have to say so.`, path);
    }
    const known = new Set(managers.map(({ managerId }) => managerId));
    const stranger = witnesses.findIndex(({ managerId }) => !known.has(managerId));
    if (stranger < 0) return undefined;
    return invalidOperation("No manager has this id.", `${path}[${stranger}].manager_id`);
  }

  #isSponsorsOperator(operatorId: string, { sponsorId }: StorageNode): boolean {
    const operator = this.#officers.get(operatorId);
    return operator?.role === "operator" && operator.managerId === sponsorId;
  }

  /** A committee that was open before this block, so that signatures can be checked against it. */
  #openBefore(height: bigint): OpenCommittee | undefined {
    if (!this.#base.openCommittees.some((each) => BigInt(each.height) === height)) return undefined;
    return this.#open.find((each) => BigInt(each.height) === height);
  }

  #replace(committee: OpenCommittee, change: Partial<OpenCommittee>): void {
    const changed = { ...committee, ...change };
    this.#open = this.#open.map((each) => (each === committee ? changed : each));
    this.#changed = true;
  }

  /** An older audit cannot be passed any more by a node that has failed since. */
  #dropOlderAudits(nodeId: string, height: number): void {
    for (const committee of this.#open.filter((each) => each.height < height)) {
      const audited = committee.audited.filter((each) => each.nodeId !== nodeId);
      if (audited.length < committee.audited.length) this.#replace(committee, { audited });
    }
  }

  #noteLate({ nodeId, mismatch }: LateAttestation, aboutHeight: number): void {
    const node = this.#nodes.get(nodeId);
    if (node === undefined) return;
    if (mismatch !== undefined) {
      const credit = creditAfter("mismatch", node.credit);
      this.#put({ ...node, credit }, "mismatch", { aboutHeight });
      return;
    }
    const lastAttestedHeight = Math.max(node.lastAttestedHeight, aboutHeight);
    const credit = creditAfter("late", node.credit);
    this.#put({ ...node, credit, lastAttestedHeight }, "late", { aboutHeight });
  }

  #changedHere(): Pick<StorageNode, "changedHeight" | "changedAtMs"> {
    const { height, timestampMs } = this.#place;
    return { changedHeight: height, changedAtMs: height === 0 ? 0 : timestampMs };
  }

  #put(node: StorageNode, kind: StandingChangeKind, about: Partial<StandingChange> = {}): void {
    const before = this.#nodes.get(node.nodeId);
    this.#nodes.set(node.nodeId, node);
    this.#changed = true;
    const { height } = this.#place;
    const place = { kind, height, aboutHeight: height };
    this.#start?.onChange?.({ ...changeOf(before ?? node, node, place), ...about });
  }

  #lists(
    nodes: ReadonlyMap<string, StorageNode>,
    openCommittees: readonly OpenCommittee[],
    totals: StorageTotals,
  ): Lists {
    const storageNodes = [...nodes.values()].sort((a, b) => compareIds(a.nodeId, b.nodeId));
    return { storageNodes, openCommittees, totals };
  }
}

function equalTotals(a: StorageTotals, b: StorageTotals): boolean {
  return (
    a.sealedBytes === b.sealedBytes && a.kibSeconds === b.kibSeconds && a.remainder === b.remainder
  );
}
