/** Brings a manager to the tip: final blocks from a peer, every rule and certificate checked. */
import { blockId } from "../../src/ledger/blocks.js";
import { checkBlockCertificates } from "../../src/ledger/certificates.js";
import type { ManagerDisk } from "./manager-disk.js";
import type { ManagerProcess } from "./manager-process.js";
import type { ShippedManagerBlock } from "./messages.js";
import type { World } from "./world.js";

export type CatchUpPorts = {
  readonly world: World;
  readonly disk: ManagerDisk;
  readonly process: () => ManagerProcess;
  readonly request: (peer: string, fromHeight: number) => void;
};

/** One block behind is normal while a height is being finished. */
const patienceMs = 60;
const answerTimeoutMs = 200;

export class ManagerCatchUp {
  readonly #ports: CatchUpPorts;
  readonly #heights = new Map<string, number>();
  #behindSinceMs: number | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: CatchUpPorts) {
    this.#ports = ports;
  }

  /** A peer says how high it is. */
  onHead(peer: string, height: number): void {
    const { world, disk, request } = this.#ports;
    const { nowMs } = world.scheduler;
    this.#heights.set(peer, height);
    const missing = Math.max(...this.#heights.values()) - disk.head.height;
    if (missing <= 0) {
      this.#behindSinceMs = undefined;
      return;
    }
    this.#behindSinceMs ??= nowMs;
    if (missing === 1 && nowMs - this.#behindSinceMs < patienceMs) return;
    if (height <= disk.head.height || nowMs - this.#askedAtMs < answerTimeoutMs) return;
    this.#askedAtMs = nowMs;
    request(peer, disk.head.height + 1);
  }

  /** A peer's answer: each block is a turn of its own. */
  onBlocks(blocks: readonly ShippedManagerBlock[]): void {
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
    this.#behindSinceMs = undefined;
    for (const shipped of blocks) {
      const run = (done: () => void) => this.#append(shipped, done);
      this.#ports.process().post({ kind: "job", run });
    }
  }

  #append({ block, certificates }: ShippedManagerBlock, done: () => void): void {
    const { world, disk, process } = this.#ports;
    const { scheme, genesis } = world.consortium;
    const id = blockId(block.block?.header ?? new Uint8Array());
    const judged = world.judge.judge(disk, id, block);
    if (judged?.ok !== true) {
      done();
      return;
    }
    const { facts, head } = judged.value;
    const { consortiumId } = genesis;
    const checks = checkBlockCertificates(certificates, facts, head.electorate, consortiumId);
    if (!checks.ok || !checks.value.every((check) => scheme.verify(check))) {
      done();
      return;
    }
    world.counters.count("block caught up");
    process().append({ block, executed: judged.value, certificates }, done);
  }
}
