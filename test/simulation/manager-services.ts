/** What a manager's process consists of, and how messages find their way in it. */
import type { Outgoing, Task } from "../../src/consensus/events.js";
import type { ManagerBlock } from "../../src/gen/bss/v1/block_pb.js";
import type { BuiltBlock } from "../../src/ledger/block-building.js";
import { submissionSignatureCheck } from "../../src/ledger/signatures.js";
import { readKeysOfSubmission } from "../../src/ledger/state-keys.js";
import { StateTables } from "../../src/ledger/state-tables.js";
import type { ParsedSubmission } from "../../src/ledger/submissions.js";
import type { Violation } from "../../src/ledger/violation.js";
import type { NodeClock } from "./clock.js";
import type { FakeDisk } from "./disk.js";
import type { StoredBlock } from "./events.js";
import { ManagerCatchUp } from "./manager-catch-up.js";
import { type ManagerDisk, violationOf } from "./manager-disk.js";
import { ManagerProcess } from "./manager-process.js";
import { ManagerStorage } from "./manager-storage.js";
import { ManagerTasks } from "./manager-tasks.js";
import type { Message } from "./messages.js";
import { SimulatedPool } from "./pool.js";
import type { World } from "./world.js";

export type ServicePorts = {
  readonly world: World;
  readonly id: string;
  readonly disk: ManagerDisk;
  readonly device: FakeDisk;
  readonly clock: NodeClock;
  readonly honest: boolean;
  readonly broadcast: (message: Outgoing, body?: ManagerBlock) => void;
  readonly send: (to: string, message: Message) => void;
};

const pulseMs = 120;
const blocksPerAnswer = 8;

export class ManagerServices {
  readonly process: ManagerProcess;
  readonly tasks: ManagerTasks;
  readonly pool = new SimulatedPool();
  readonly #ports: ServicePorts;
  readonly #storage: ManagerStorage;
  readonly #catchUp: ManagerCatchUp;

  constructor(ports: ServicePorts) {
    this.#ports = ports;
    const { world, id, disk, device, clock, honest, broadcast, send } = ports;
    for (const submission of disk.pool.values()) this.pool.add(submission);
    const process = () => this.process;
    this.#storage = new ManagerStorage({ world, id, disk, process, send });
    this.#catchUp = new ManagerCatchUp({
      ...{ world, disk, process },
      request: (peer, fromHeight) => send(peer, { kind: "fetch-blocks", fromHeight }),
    });
    this.tasks = new ManagerTasks({
      ...{ world, id, disk, clock, process, pool: this.pool },
      onBuilt: (built) => this.#onBuilt(built),
      fetchBody: (holders, blockId) => {
        for (const holder of holders) send(holder, { kind: "fetch-body", blockId });
      },
    });
    this.process = new ManagerProcess({
      ...{ world, id, disk, device, clock, honest },
      say: broadcast,
      start: (task) => this.#start(task),
      onAppended: (stored) => this.#onAppended(stored),
    });
    this.#pulse();
  }

  /** On connection: where this manager stands. */
  greet(): void {
    this.#sendHead();
  }

  receive(from: string, message: Message): void {
    const { disk, send, world } = this.#ports;
    switch (message.kind) {
      case "ring":
        this.#takeRing(from, message.message, message.body);
        return;
      case "fetch-body": {
        const candidate = this.process.candidates.get(message.blockId);
        if (candidate !== undefined) send(from, { kind: "body", block: candidate.block });
        return;
      }
      case "body":
        this.tasks.takeBody(message.block);
        return;
      case "head":
        this.#catchUp.onHead(from, message.height);
        return;
      case "fetch-blocks": {
        const first = message.fromHeight - 1;
        const blocks = disk.blocks.slice(first, first + blocksPerAnswer);
        if (blocks.length > 0) send(from, { kind: "blocks", blocks });
        return;
      }
      case "blocks":
        this.#catchUp.onBlocks(message.blocks);
        return;
      case "submission":
        this.#admit(message.submission);
        return;
      case "objection":
        this.#onObjection(message.hashes);
        return;
      case "attestation":
        this.#storage.takeAttestation(message.attestation);
        this.#takeRing(from, message);
        return;
      case "storage-head":
        this.#storage.onHead(from, message.height);
        return;
      case "fetch-storage-blocks":
        this.#storage.onFetch(from, message.fromHeight);
        return;
      default:
        world.counters.count(`stray message: ${message.kind}`);
    }
  }

  /** A participant's submission: kept durably, and passed on to all managers. */
  submit(submission: ParsedSubmission): void {
    const { disk, world, id, send } = this.#ports;
    const isNew = this.#admit(submission);
    if (this.pool.has(submission.idHex)) disk.pool.set(submission.idHex, submission);
    if (!isNew) return;
    for (const other of world.consortium.managerIds) {
      if (other !== id) send(other, { kind: "submission", submission });
    }
  }

  #admit(submission: ParsedSubmission): boolean {
    const { disk, world } = this.#ports;
    const state = new StateTables(disk.prefetched(readKeysOfSubmission(submission)));
    const check = submissionSignatureCheck(submission, state);
    if (!check.ok || !world.consortium.scheme.verify(check.value)) return false;
    if (!this.pool.add(submission)) return false;
    const settled = submission.records.filter(({ hash }) => state.records.get(hash) !== undefined);
    this.pool.settle(settled.map(({ hashHex }) => hashHex));
    this.#wakeIfDue();
    return true;
  }

  #takeRing(from: string, message: Outgoing, body?: ManagerBlock): void {
    const { disk, world } = this.#ports;
    const height = heightOf(message);
    const current = this.process.height;
    if (height < current) this.#ports.send(from, { kind: "head", height: disk.head.height });
    if (height !== current && height !== current + 1) return;
    if (!world.inbound.holds(message, disk.head.members)) {
      world.counters.count("message refused");
      return;
    }
    if (message.kind === "proposal" && body !== undefined) {
      this.process.candidates.add(height, body);
    }
    this.process.post(message);
  }

  #start(task: Task): void {
    switch (task.kind) {
      case "build":
        this.tasks.build(task);
        return;
      case "validate":
        this.tasks.validate(task);
        return;
      case "verify-integrity":
        this.#storage.verify(task);
        return;
    }
  }

  /** What breaks a rule at its turn is noted, and the others are told. */
  #onBuilt({ objections, duplicates }: BuiltBlock): void {
    const { world, id, send } = this.#ports;
    this.#settle(duplicates.map(({ record }) => record.hashHex));
    for (const { record, violation } of objections) this.#refuse(record.hashHex, violation);
    if (objections.length === 0) return;
    const hashes = objections.map(({ record }) => record.hashHex);
    for (const other of world.consortium.managerIds) {
      if (other !== id) send(other, { kind: "objection", hashes });
    }
  }

  /** Only what breaks a rule here too is refused. */
  #onObjection(hashes: readonly string[]): void {
    const { disk } = this.#ports;
    for (const hash of hashes) {
      const submission = this.pool.holding(hash);
      if (submission === undefined) continue;
      if (this.pool.wasRefused(hash, disk.head.frontier.size)) continue;
      const violation = violationOf(submission, hash, disk);
      if (violation !== undefined) this.#refuse(hash, violation);
    }
  }

  #refuse(hash: string, violation: Violation): void {
    const { disk } = this.#ports;
    if (!this.pool.refuse(hash, violation, disk.head.frontier.size)) return;
    disk.refused.add(hash);
    this.#settle([hash]);
  }

  #settle(hashes: readonly string[]): void {
    for (const left of this.pool.settle(hashes)) this.#ports.disk.pool.delete(left);
  }

  #onAppended(stored: StoredBlock): void {
    const { world, id } = this.#ports;
    world.log(() => `${id} appends ${stored.executed.facts.height}`);
    this.tasks.onHeightChanged();
    this.#settle(stored.executed.placed.map(({ record }) => record.hashHex));
    this.#storage.announce(stored);
    this.#sendHead();
    this.#wakeIfDue();
  }

  #sendHead(): void {
    const { world, id, disk, send } = this.#ports;
    for (const other of world.consortium.managerIds) {
      if (other !== id) send(other, { kind: "head", height: disk.head.height });
    }
  }

  #pulse(): void {
    const { world } = this.#ports;
    world.scheduler.after(pulseMs, () => {
      if (this.process.stopped) return;
      this.#sendHead();
      this.#wakeIfDue();
      this.#pulse();
    });
  }

  #wakeIfDue(): void {
    const { disk } = this.#ports;
    if (this.process.status().step !== "idle") return;
    if (this.pool.hasWork(disk.head.frontier.size) || this.#hasAdmissions()) {
      this.process.post({ kind: "wake" });
    }
  }

  #hasAdmissions(): boolean {
    const { world, disk } = this.#ports;
    return world.admissions.some(({ operation }) => {
      if (operation.case !== "admitStorageNode") return false;
      return disk.head.members.storageNode(operation.value.nodeId) === undefined;
    });
  }
}

function heightOf(message: Outgoing): number {
  switch (message.kind) {
    case "vote":
      return Number(message.vote.height);
    case "proposal":
      return Number(message.proposal.height);
    case "attestation":
      return Number(message.attestation.height);
    case "lock-certificate":
      return Number(message.certificate.polka?.height ?? 0n);
  }
}
