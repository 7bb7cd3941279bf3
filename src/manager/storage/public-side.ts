/**
 * The parts by which a manager keeps the public side in order: who joins, leaves and returns, who
 * cannot be reached, who attested late, and whose audits are false.
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
import { linksMin } from "../../consensus/public/links.js";
import {
  type ControlOperation,
  ControlOperationSchema,
  type ReturnStorageNode,
} from "../../gen/bss/v1/genesis_pb.js";
import type { Attestation } from "../../gen/bss/v1/vote_pb.js";
import type { RpcError } from "../../rpc/rpc-error.js";
import type { AppendedBlock } from "../../store/manager-store.js";
import type { ManagerOptions, SharedPorts } from "../manager-options.js";
import { fitsNow, OperationCheck } from "../operations/operation-check.js";
import { OperationExchange } from "../operations/operation-exchange.js";
import { OperationPool, withinBytes } from "../operations/operation-pool.js";
import type { PeerExchange } from "../peers/peer-exchange.js";
import type { PublicMessage } from "../ring/inbound-votes.js";
import type { UnmarkedKind } from "../signing/signer.js";
import { AuditFindings } from "./audit-findings.js";
import { AuditWatch } from "./audit-watch.js";
import { LateAttestations } from "./late-attestations.js";
import { ReachWatch } from "./reach-watch.js";
import { UnreachableClaims } from "./unreachable-claims.js";

export type PublicSidePorts = {
  readonly tell: PeerExchange["tell"];
  readonly sign: (kind: UnmarkedKind, digest: Uint8Array) => Promise<Uint8Array | undefined>;
  /** There is something for the next block. */
  readonly wake: () => void;
  readonly connectedStorage: () => readonly string[];
  readonly atTip: () => boolean;
  readonly whatIsMissing: () => RpcError | undefined;
};

/** A block is called for once in so long: the proposer may lack yet what waits here. */
const callMs = 1_000;
const sayMs = 1_000;
/** Operations in one block, bytes: what does not fit waits for the next one. */
const bytesPerBlockMax = 2 ** 20;

export class PublicSide {
  readonly #options: ManagerOptions;
  readonly #shared: SharedPorts;
  readonly #ports: PublicSidePorts;
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

  constructor(options: ManagerOptions, shared: SharedPorts, ports: PublicSidePorts) {
    this.#options = options;
    this.#shared = shared;
    this.#ports = ports;
    const { store, observer } = options;
    const { tell, connectedStorage: connectedIds } = ports;
    const watch = { ...shared, ...ports, onDropped: observer.dropped };
    this.#reach = new ReachWatch({ ...shared, connectedIds });
    this.#claims = new UnreachableClaims({
      ...watch,
      tell: (value) => tell({ case: "unreachable", value }),
    });
    this.#findings = new AuditFindings({
      ...watch,
      tell: (value) => tell({ case: "finding", value }),
    });
    this.#audits = new AuditWatch({
      ...shared,
      store,
      observe: observer,
      onFalse: (found) => this.#findings.note(found),
    });
    this.#late = new LateAttestations(shared.head);
    this.operations = new OperationExchange({
      ...watch,
      pool: this.#pool,
      height: () => shared.head().height,
      check: new OperationCheck(shared),
      tell: (value) => tell({ case: "operation", value }),
    });
  }

  /** Takes what managers say of the public side. */
  async take(from: string, message: PublicMessage): Promise<void> {
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
    const { nodeId, height } = attestation;
    this.#reach.heard(nodeId);
    this.#late.note(attestation);
    const { managers } = this.#shared.members();
    const isLate = height <= BigInt(this.#shared.head().height);
    // In a small consortium the node has told every manager itself.
    if (isLate && from === nodeId && managers.length > linksMin) {
      this.#ports.tell({ case: "attestation", value: attestation });
    }
  }

  /** Whether a block should be made for something that waits; says so once in a while. */
  callsForBlock(): boolean {
    const { monotonicMs } = this.#shared;
    if (monotonicMs() - this.#calledAtMs < callMs) return false;
    const found = () => [...this.#claims.operations(), ...this.#findings.operations()];
    const hasSomething =
      this.operations.hasWaiting || found().some((each) => fitsNow(each, this.#shared));
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
    const { observer } = this.#options;
    observer.storageStandings(executed.head.members.storageNodes, height);
    for (const bytes of control) observer.operationFinal(fromBinary(ControlOperationSchema, bytes));
  }

  /** Says again what is to be said, looks at what is new; after each block, and at intervals. */
  async tick(): Promise<void> {
    try {
      await Promise.all([this.#audits.tick(), this.operations.tick(), this.#say()]);
    } catch (error) {
      // A store that is closing refuses to read.
      if (!this.#closed) throw error;
    }
  }

  async #say(): Promise<void> {
    if (this.#saying || this.#shared.monotonicMs() - this.#saidAtMs < sayMs) return;
    this.#saidAtMs = this.#shared.monotonicMs();
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
