/**
 * Finds out everything that is damaged on this node's disk, and repairs it, while the consortium
 * and this node's following of it go on:
 *
 *     serving ── damage reported ──▶ repairing ── a whole pass found nothing new ──▶ serving
 *                                    │  ▲
 *                                    ▼  │  files mended, if it was the files
 *                            blocks down from the head, then everything up from genesis
 *
 * It exists before the store is open, so that whoever meets damage can report it from the first
 * read on; it begins at `start`, when there is something to repair with.
 *
 * While it repairs, the node attests nothing: a MATCH stands for data that is there. Damage that is
 * found in files during a pass makes another one. If passes do not get through, the disk destroys
 * faster than it can be repaired, and the node gives up.
 */
import {
  ChainWalk,
  type ChainWalkPorts,
  type Damage,
  mendBlocks,
} from "../../store/damage/chain-walk.js";
import { damageOf } from "../../store/damage/store-comparison.js";
import { isDamage } from "../../store/store-error.js";

export type RepairObserver = {
  /** Damage makes this node check everything; `cause` is for people. */
  repairing(cause: string): void;
  damaged(damage: Damage): void;
  /** Files could not be read as they had been written. */
  filesDamaged(finding: string): void;
  repaired(parts: number, seconds: number): void;
};

/** What is repaired, and with what. */
export type SelfRepairPorts = Omit<ChainWalkPorts, "found"> & {
  /** Notes on disk whether a repair has yet to come to its end, so that the next start repairs. */
  readonly noteRepair: (isUnfinished: boolean) => Promise<void>;
  /** Makes the store's files readable again. */
  readonly mend: () => Promise<void>;
  /** The node had all blocks up to here. Those that it lacks come as it catches up. */
  readonly hadUpTo: number;
  /** The node may attest again. */
  readonly onRepaired: () => void;
  /** It cannot be repaired. */
  readonly onFailed: (cause: unknown) => void;
};

const passesMax = 8;

export class SelfRepair {
  readonly #observe: RepairObserver;
  readonly #monotonicMs: () => number;
  #ports: SelfRepairPorts | undefined;
  #running: Promise<void> | undefined;
  /** The first report since the present pass began. */
  #reported: string | undefined;
  #filesDamaged = false;
  #closed = false;
  #damaged = 0;
  #repaired = 0;
  /** Blocks up to here were missing when the node started. */
  #missingUpTo: number | undefined;
  #lastDamage = "";

  constructor(observe: RepairObserver, monotonicMs: () => number) {
    this.#observe = observe;
    this.#monotonicMs = monotonicMs;
  }

  get repairing(): boolean {
    return this.#running !== undefined || this.#reported !== undefined;
  }

  /** Since the node started. */
  get counts(): { readonly damaged: number; readonly repaired: number } {
    const upTo = this.#missingUpTo;
    const missing = upTo === undefined ? 0 : 1;
    const caughtUp = upTo !== undefined && (this.#ports?.head().height ?? 0) >= upTo ? 1 : 0;
    return { damaged: this.#damaged + missing, repaired: this.#repaired + caughtUp };
  }

  /** The last damage found, for people; empty for none. */
  get lastDamage(): string {
    return this.#lastDamage;
  }

  /** Something is damaged, or may be. `files`: the store could not read what it had written. */
  report(cause: string, { files = false } = {}): void {
    if (this.#closed) return;
    this.#reported ??= cause;
    if (files && !this.#filesDamaged) {
      this.#filesDamaged = true;
      this.#noteFiles(cause);
    }
    this.#begin();
  }

  /** What had to be done to files before the store could be opened at all. */
  reportMended(finding: string): void {
    this.#noteFiles(finding);
    this.report(finding);
  }

  /** Repairs from here on, beginning with what was reported before. */
  start(ports: SelfRepairPorts): void {
    this.#ports = ports;
    this.#noteMissing(ports.head().height, ports.hadUpTo);
    this.#begin();
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #begin(): void {
    const ports = this.#ports;
    if (ports === undefined || this.#reported === undefined || this.#running !== undefined) return;
    this.#observe.repairing(this.#reported);
    // Not at once: what it does first may report damage, too.
    this.#running = Promise.resolve().then(() => this.#repair(ports));
  }

  async #repair(ports: SelfRepairPorts): Promise<void> {
    try {
      await this.#run(ports);
    } catch (error) {
      // It stays under repair: such a node attests nothing until it ends.
      if (!this.#closed) ports.onFailed(error);
      return;
    }
    this.#running = undefined;
    if (this.#closed) return;
    ports.onRepaired();
    this.#begin();
  }

  async #run(ports: SelfRepairPorts): Promise<void> {
    const startedMs = this.#monotonicMs();
    await ports.noteRepair(true);
    for (let pass = 1; this.#reported !== undefined; pass += 1) {
      if (pass > passesMax) throw new Error(`${passesMax} passes of repair found new damage each`);
      if (this.#closed) return;
      this.#reported = undefined;
      await this.#pass(ports);
    }
    await ports.noteRepair(false);
    const parts = this.#damaged - this.#repaired;
    this.#repaired += parts;
    this.#observe.repaired(parts, (this.#monotonicMs() - startedMs) / 1_000);
  }

  async #pass(ports: SelfRepairPorts): Promise<void> {
    if (this.#filesDamaged) {
      this.#filesDamaged = false;
      await ports.inTurn(ports.mend);
      this.#reported = undefined;
    }
    const walkPorts = { ...ports, found: (damage: Damage) => this.#noteDamage(damage) };
    try {
      await mendBlocks(walkPorts, () => this.#beat());
      const walk = new ChainWalk(walkPorts);
      do {
        while (await walk.step()) this.#beat();
      } while (!(await walk.finish()));
    } catch (error) {
      // A block that got lost while the walk was under way, for instance.
      if (!isDamage(error)) throw error;
      this.#reported = damageOf(error);
    }
  }

  #beat(): void {
    if (this.#closed) throw new Error("the node is stopping");
  }

  #noteDamage(damage: Damage): void {
    this.#damaged += damage.what.length;
    this.#tell(damage);
  }

  #noteFiles(finding: string): void {
    this.#damaged += 1;
    this.#lastDamage = finding;
    this.#observe.filesDamaged(finding);
  }

  #noteMissing(headHeight: number, upTo: number): void {
    if (upTo <= headHeight) return;
    this.#missingUpTo = upTo;
    const count = upTo - headHeight;
    const what = `${count} blocks up to height ${upTo}, which this node had when it attested`;
    this.#tell({ height: headHeight + 1, what: [what] });
  }

  #tell(damage: Damage): void {
    this.#lastDamage = `height ${damage.height}: ${damage.what.join(", ")}`;
    this.#observe.damaged(damage);
  }
}
