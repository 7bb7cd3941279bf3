/** What a ring asks its driver for: blocks made, blocks judged. Each takes its time. */
import { toHex } from "../../src/base/bytes.js";
import type { Task } from "../../src/consensus/events.js";
import type { ManagerBlock } from "../../src/gen/bss/v1/block_pb.js";
import { beaconInput } from "../../src/ledger/beacon.js";
import { type BuiltBlock, buildBlock } from "../../src/ledger/block-building.js";
import { readKeysOfOperation, readKeysOfSubmission } from "../../src/ledger/state-keys.js";
import type { NodeClock } from "./clock.js";
import type { ManagerDisk } from "./manager-disk.js";
import type { ManagerProcess } from "./manager-process.js";
import type { SimulatedPool } from "./pool.js";
import type { World } from "./world.js";

export type TaskPorts = {
  readonly world: World;
  readonly id: string;
  readonly disk: ManagerDisk;
  readonly clock: NodeClock;
  readonly pool: SimulatedPool;
  readonly process: () => ManagerProcess;
  readonly onBuilt: (built: BuiltBlock) => void;
  readonly fetchBody: (holders: readonly string[], blockId: Uint8Array) => void;
};

const buildMeanMs = 1;
const judgeMeanMs = 1;

export class ManagerTasks {
  readonly #ports: TaskPorts;
  /** Blocks, in hex, whose bodies are looked for. */
  readonly #awaited = new Map<string, Uint8Array>();

  constructor(ports: TaskPorts) {
    this.#ports = ports;
  }

  build({ height, round }: Task & { kind: "build" }): void {
    const { world, disk, pool, process } = this.#ports;
    world.scheduler.after(world.random.exponential(buildMeanMs), () => {
      if (process().stopped || disk.head.height + 1 !== height) return;
      const built = this.make(round);
      const { block, executed } = built;
      process().candidates.add(height, block, executed);
      process().post({ kind: "built", height, round, facts: executed.facts });
      world.counters.count("block built");
      this.#ports.onBuilt(built);
      if (!pool.hasWork(disk.head.frontier.size)) world.counters.count("block built idly");
    });
  }

  /** A new block on top of the head; `laterMs` makes another one of the same content. */
  make(round: number, laterMs = 0) {
    const { world, id, disk, clock, pool } = this.#ports;
    const { genesis, scheme, epochKey } = world.consortium;
    const { consortiumId, policy } = genesis;
    const { head } = disk;
    const alpha = beaconInput({
      ...{ consortiumId, height: head.height + 1, previousBeacon: head.beacon },
    });
    const { proof, output } = scheme.beacon(id, alpha);
    const candidates = pool.submissions();
    const control = world.admissions.filter(({ operation }) => {
      if (operation.case !== "admitStorageNode") return false;
      return head.members.storageNode(operation.value.nodeId) === undefined;
    });
    const certificates = disk.headCertificates();
    const built = buildBlock({
      ...{ head, consortiumId, policy, epochKey, candidates, control },
      ...{ proposerId: id, createdRound: round, allowLeaves: true },
      ...{ beaconProof: proof, beacon: output },
      timestampMs: Math.max(clock.read().wallMs, head.timestampMs + 1) + laterMs,
      state: disk.prefetched([
        ...candidates.flatMap(readKeysOfSubmission),
        ...control.flatMap(readKeysOfOperation),
      ]),
      ...(certificates === undefined ? {} : { previousCertificates: certificates }),
    });
    return built;
  }

  validate({ blockId, holders }: Task & { kind: "validate" }): void {
    const { process, fetchBody } = this.#ports;
    if (process().candidates.get(blockId) !== undefined) {
      this.#judgeSoon(blockId);
      return;
    }
    this.#awaited.set(toHex(blockId), blockId);
    fetchBody(holders, blockId);
  }

  takeBody(block: ManagerBlock): void {
    const { process } = this.#ports;
    const key = process().candidates.add(process().height, block);
    const blockId = this.#awaited.get(key);
    if (blockId !== undefined) this.#judgeSoon(blockId);
  }

  onHeightChanged(): void {
    this.#awaited.clear();
  }

  #judgeSoon(blockId: Uint8Array): void {
    const { world, disk, process } = this.#ports;
    const { height } = process();
    world.scheduler.after(world.random.exponential(judgeMeanMs), () => {
      const { candidates } = process();
      const candidate = candidates.get(blockId);
      if (process().stopped || process().height !== height || candidate === undefined) return;
      if (disk.head.height + 1 !== height) return;
      const judged = world.judge.judge(disk, blockId, candidate.block);
      if (judged === undefined) return candidates.discard(blockId);
      this.#awaited.delete(toHex(blockId));
      if (judged.ok) candidates.add(height, candidate.block, judged.value);
      else world.counters.count(`block refused: ${judged.error.reason}`);
      const judgement = judged.ok
        ? ({ accurate: true, facts: judged.value.facts } as const)
        : ({ accurate: false, violation: judged.error } as const);
      process().post({ kind: "judged", height, blockId, judgement });
    });
  }
}
