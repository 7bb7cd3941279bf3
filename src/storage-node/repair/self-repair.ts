/**
 * Finds out everything that is damaged on this node's disk, and repairs it, while the consortium
 * and this node's following of it go on:
 *
 *     serving ── damage told ──▶ repairing ── a whole pass found nothing new ──▶ serving
 *                                │  ▲
 *                                ▼  │  files mended, if it was the files
 *                        blocks down from the head, then everything up from genesis
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
import { isDamage } from "../../store/store-error.js";

export type RepairObserver = {
  /** Damage makes this node check everything; `cause` is for people. */
  repairing(cause: string): void;
  damaged(damage: Damage): void;
  /** Files could not be read as they had been written. */
  filesDamaged(finding: string): void;
  repaired(parts: number, seconds: number): void;
};

export type SelfRepairPorts = Omit<ChainWalkPorts, "found"> & {
  /** Makes the store's files readable again. */
  readonly mend: () => Promise<void>;
  /** What was signed may be forgotten from here on. */
  readonly onMended: () => void;
  /** The node may attest again. */
  readonly onRepaired: () => void;
  /** It cannot be repaired. */
  readonly onFailed: (cause: unknown) => void;
  readonly monotonicMs: () => number;
  readonly observe: RepairObserver;
};

const passesMax = 8;

export class SelfRepair {
  readonly #ports: SelfRepairPorts;
  #running: Promise<void> | undefined;
  /** Damage was told since the present pass began. */
  #again = false;
  #filesDamaged = false;
  #closed = false;
  #damaged = 0;
  #repaired = 0;
  /** Of the damaged, those that only catching up repairs. */
  #pending = 0;
  #lastDamage = "";

  constructor(ports: SelfRepairPorts) {
    this.#ports = ports;
  }

  get repairing(): boolean {
    return this.#running !== undefined;
  }

  /** Since the node started. */
  get counts(): { readonly damaged: number; readonly repaired: number } {
    return { damaged: this.#damaged, repaired: this.#repaired };
  }

  /** The last damage found, for people; empty for none. */
  get lastDamage(): string {
    return this.#lastDamage;
  }

  /** Something is damaged, or may be. `files`: the store could not read what it had written. */
  report(cause: string, { files = false } = {}): void {
    if (this.#closed) return;
    this.#again = true;
    if (files && !this.#filesDamaged) {
      this.#filesDamaged = true;
      this.#noteFiles(cause);
    }
    if (this.#running !== undefined) return;
    this.#ports.observe.repairing(cause);
    const running = this.#run()
      .catch((error: unknown) => {
        if (!this.#closed) this.#ports.onFailed(error);
      })
      .finally(() => {
        this.#running = undefined;
        if (!this.#closed) this.#ports.onRepaired();
      });
    this.#running = running;
  }

  /** What had to be done to files before the store could be opened at all. */
  reportMended(finding: string): void {
    this.#noteFiles(finding);
    this.report(finding);
  }

  /** Damage that is repaired without a pass, until `noteRepaired`. */
  notePending(damage: Damage): void {
    this.#pending += damage.what.length;
    this.#note(damage);
  }

  noteRepaired(): void {
    this.#repaired += this.#pending;
    this.#pending = 0;
  }

  #note(damage: Damage): void {
    this.#damaged += damage.what.length;
    this.#lastDamage = `height ${damage.height}: ${damage.what.join(", ")}`;
    this.#ports.observe.damaged(damage);
  }

  #noteFiles(finding: string): void {
    this.#damaged += 1;
    this.#lastDamage = finding;
    this.#ports.observe.filesDamaged(finding);
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const startedMs = this.#ports.monotonicMs();
    for (let pass = 1; this.#again; pass += 1) {
      if (pass > passesMax) throw new Error(`${passesMax} passes of repair found new damage each`);
      if (this.#closed) return;
      this.#again = false;
      await this.#pass();
    }
    const parts = this.#damaged - this.#repaired - this.#pending;
    this.#repaired += parts;
    this.#ports.observe.repaired(parts, (this.#ports.monotonicMs() - startedMs) / 1_000);
  }

  async #pass(): Promise<void> {
    const { inTurn, mend, onMended } = this.#ports;
    if (this.#filesDamaged) {
      this.#filesDamaged = false;
      onMended();
      await inTurn(mend);
      this.#again = false;
    }
    const walkPorts = { ...this.#ports, found: (damage: Damage) => this.#note(damage) };
    try {
      await mendBlocks(walkPorts, () => this.#beat());
      const walk = new ChainWalk(walkPorts);
      do {
        while (await walk.step()) this.#beat();
      } while (!(await walk.finish()));
    } catch (error) {
      // A block that got lost while the walk was under way, for instance.
      if (!isDamage(error)) throw error;
      this.#again = true;
    }
  }

  #beat(): void {
    if (this.#closed) throw new Error("the node is stopping");
  }
}
