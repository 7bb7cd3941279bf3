/**
 * The parts by which a manager watches storage nodes and brings operations of members to the chain:
 * who joins, leaves and returns, who cannot be reached, who attested late, and whose audits are
 * false.
 *
 *     OperationExchange   what others have authorised waits here for a block
 *     ReachWatch ─▶ UnreachableClaims ─┐
 *     AuditWatch ─▶ AuditFindings ─────┼─▶ operations of the next block
 *     LateAttestations ────────────────┘
 *
 * Every operation carries its own authority, so no manager has to believe another one.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { linksMin } from "../../consensus/attestation/links.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  type ReturnStorageNode,
} from "../../gen/bss/v1/genesis_pb.js";
import type { Attestation, VoteRequest } from "../../gen/bss/v1/vote_pb.js";
import type { AppendedBlock } from "../../store/manager-store.js";
import type { FailStop } from "../fail-stop.js";
import type { ManagerContext } from "../manager-context.js";
import { fitsNow, OperationCheck } from "../operations/operation-check.js";
import { OperationExchange } from "../operations/operation-exchange.js";
import { OperationPool, withinBytes } from "../operations/operation-pool.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { Abstention } from "../ring/abstention.js";
import type { BlockTrigger } from "../ring/block-trigger.js";
import type { StatementLog } from "../signing/statement-log.js";
import type { Availability } from "../submissions/availability.js";
import { AuditFindings } from "./audit-findings.js";
import { AuditWatch } from "./audit-watch.js";
import { LateAttestations } from "./late-attestations.js";
import { ReachWatch } from "./reach-watch.js";
import type { StorageLinks } from "./storage-links.js";
import { UnreachableClaims } from "./unreachable-claims.js";

/** What managers say about storage nodes, and operations of members. */
export type StorageMessage = Extract<
  VoteRequest["message"],
  { readonly case: "operation" | "unreachable" | "finding" }
>;

export type StorageSupervisionParts = {
  readonly storageLinks: Pick<StorageLinks, "connectedIds">;
  readonly peers: Pick<PeerSender, "tell">;
  readonly trigger: Pick<BlockTrigger, "check">;
  readonly statements: Pick<StatementLog, "sign">;
  readonly abstention: Pick<Abstention, "atTip">;
  readonly availability: Pick<Availability, "whatIsMissing">;
  readonly failStop: Pick<FailStop, "fail">;
};

/** A block is called for once in so long: the proposer may lack yet what waits here. */
const callMs = 1_000;
const sayMs = 1_000;
/** Operations in one block, bytes: what does not fit waits for the next one. */
const bytesPerBlockMax = 2 ** 20;

export class StorageSupervision {
  readonly #context: ManagerContext;
  readonly #parts: StorageSupervisionParts;
  readonly #reach: ReachWatch;
  readonly #claims: UnreachableClaims;
  readonly #audits: AuditWatch;
  readonly #findings: AuditFindings;
  readonly #late: LateAttestations;
  readonly #pool = new OperationPool();
  readonly operations: OperationExchange;
  #calledAtMs = Number.NEGATIVE_INFINITY;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #saying = false;
  #closed = false;

  constructor(context: ManagerContext, parts: StorageSupervisionParts) {
    this.#context = context;
    this.#parts = parts;
    this.#reach = new ReachWatch(context, parts.storageLinks);
    this.#claims = new UnreachableClaims(context, parts);
    this.#findings = new AuditFindings(context, parts);
    this.#audits = new AuditWatch(context, this.#findings);
    this.#late = new LateAttestations(context.head);
    const check = new OperationCheck(context);
    this.operations = new OperationExchange(context, { ...parts, pool: this.#pool, check });
  }

  /** Takes what managers say about storage nodes, and operations of members. */
  async take(from: string, message: StorageMessage): Promise<void> {
    switch (message.case) {
      case "operation":
        return this.operations.take(from, message.value);
      case "unreachable":
        return this.#claims.take(from, message.value);
      case "finding":
        return this.#findings.take(from, message.value);
    }
  }

  /** A storage node says that it is back. */
  takeReturn(nodeId: string, value: ReturnStorageNode): Promise<void> {
    const operation = { case: "returnStorageNode" as const, value };
    return this.operations.takeOwn(nodeId, create(ControlOperationSchema, { operation }));
  }

  /** Whether an attestation of a decided height is worth the look at its signature. */
  wantsLate(attestation: Attestation): boolean {
    return this.#late.wants(attestation);
  }

  /** An attestation of the open height or before it, whose signature is right. */
  noteAttestation(attestation: Attestation, from: string): void {
    const { nodeId, height, round } = attestation;
    this.#reach.heard(nodeId, { height: Number(height), round });
    this.#late.note(attestation);
    const { managers } = this.#context.members();
    const isLate = height <= BigInt(this.#context.head().height);
    // In a small consortium the node has told every manager itself.
    if (isLate && from === nodeId && managers.length > linksMin) {
      this.#parts.peers.tell({ case: "attestation", value: attestation });
    }
  }

  /** Whether a block should be made for something that waits; says so once in a while. */
  callsForBlock(): boolean {
    const { monotonicMs } = this.#context;
    if (monotonicMs() - this.#calledAtMs < callMs) return false;
    const found = () => [...this.#claims.operations(), ...this.#findings.operations()];
    const hasSomething =
      this.operations.hasWaiting || found().some((each) => fitsNow(each, this.#context));
    if (hasSomething) this.#calledAtMs = monotonicMs();
    return hasSomething;
  }

  /** What this manager puts into a block that it makes, in this order, as far as it fits. */
  operationsForBlock(): readonly ControlOperation[] {
    const operations = [
      ...this.#pool.operations(),
      ...this.#findings.operations(),
      ...this.#late.operations(),
      ...this.#claims.operations(),
    ];
    return withinBytes(operations, bytesPerBlockMax);
  }

  /** Within the turn that wrote the block. */
  onAppended({ executed, block }: AppendedBlock): void {
    const { height } = executed.facts;
    const { control } = defined(block.block, "a final block has its public part");
    this.operations.onAppended(height, control);
    this.#claims.onAppended();
    this.#findings.onAppended();
    this.#late.onAppended();
    const { observer } = this.#context;
    observer.storageStandings(executed.head.members.storageNodes, height);
    for (const bytes of control) observer.operationFinal(fromBinary(ControlOperationSchema, bytes));
  }

  /** Says again what is not on the chain and looks at what is new: after each block, and often. */
  tick(): void {
    this.#tick().catch((error) => this.#parts.failStop.fail(error));
  }

  async #tick(): Promise<void> {
    try {
      await Promise.all([this.#audits.tick(), this.operations.tick(), this.#say()]);
    } catch (error) {
      // A store that is closing refuses to read.
      if (!this.#closed) throw error;
    }
  }

  async #say(): Promise<void> {
    if (this.#saying || this.#context.monotonicMs() - this.#saidAtMs < sayMs) return;
    this.#saidAtMs = this.#context.monotonicMs();
    this.#saying = true;
    try {
      await this.#claims.say(this.#reach.tick());
      await this.#findings.say();
    } finally {
      this.#saying = false;
    }
  }

  /** How much waits for a block, for the metrics. */
  get waiting() {
    return {
      operations: this.#pool.size,
      claims: this.#claims.count,
    };
  }

  /** Nobody's operation becomes final any more. */
  close(): void {
    this.#closed = true;
    this.operations.close();
  }
}
