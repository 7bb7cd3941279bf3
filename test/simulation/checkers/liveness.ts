/**
 * Invariant 8: after the faults, every valid submission that a manager has taken is final within a
 * bounded number of rounds, all managers and storage nodes are at one height, and nobody works on
 * for nothing.
 */
import { defined } from "../../../src/base/assert.js";
import { toHex } from "../../../src/base/bytes.js";
import type { RingStatus } from "../../../src/consensus/events.js";
import { Checker } from "../events.js";
import { type ManagerDisk, violationOf } from "../manager-disk.js";
import type { Accepted } from "../workload.js";

export type Settled = {
  readonly managers: readonly { readonly id: string; readonly disk: ManagerDisk }[];
  readonly storageHeights: ReadonlyMap<string, number>;
  readonly accepted: readonly Accepted[];
};

export class LivenessChecker extends Checker {
  readonly name = "liveness";
  readonly #roundsMax: number;
  readonly #settled: () => Settled;
  readonly #entered = new Map<string, RingStatus>();
  #healed = false;
  /** "manager/height" → round at which it was when the faults ended. */
  readonly #startedAt = new Map<string, number>();
  roundsNeeded = 0;

  constructor(managersCount: number, settled: () => Settled) {
    super();
    // Every manager's turn, twice: once may be spent on getting together.
    this.#roundsMax = 2 * managersCount + 2;
    this.#settled = settled;
  }

  override moved(managerId: string, status: RingStatus): void {
    this.#entered.set(managerId, status);
    if (!this.#healed) return;
    const key = `${managerId}/${status.height}`;
    const needed = status.round - (this.#startedAt.get(key) ?? 0);
    this.roundsNeeded = Math.max(this.roundsNeeded, needed);
    if (needed <= this.#roundsMax) return;
    this.fail(`${managerId} needs more than ${this.#roundsMax} rounds for height ${status.height}`);
  }

  override healed(): void {
    this.#healed = true;
    // Whoever restarts or skips comes to where the others are.
    for (const [id] of this.#entered) {
      for (const { height, round } of this.#entered.values()) {
        const key = `${id}/${height}`;
        this.#startedAt.set(key, Math.max(round, this.#startedAt.get(key) ?? 0));
      }
    }
  }

  override finish(): void {
    const { managers, storageHeights, accepted } = this.#settled();
    const [first] = managers;
    if (first === undefined) return;
    for (const { id, disk } of managers) {
      if (disk.head.height === first.disk.head.height) continue;
      this.fail(`${id} is at height ${disk.head.height}, ${first.id} at ${first.disk.head.height}`);
    }
    for (const [id, height] of storageHeights) {
      if (height === first.disk.head.height) continue;
      this.fail(`${id} is at height ${height}, the managers at ${first.disk.head.height}`);
    }
    const placed = new Set<string>();
    for (const { executed } of first.disk.blocks) {
      for (const { record } of executed.placed) placed.add(record.hashHex);
    }
    const disks = new Map(managers.map(({ id, disk }) => [id, disk]));
    for (const { submission, managerId } of accepted) {
      const refused = defined(disks.get(managerId), "a manager took it").refused;
      for (const record of submission.records) {
        // What broke a rule when its turn came was given back, even if it would fit by now.
        if (placed.has(record.hashHex) || refused.has(record.hashHex)) continue;
        if (violationOf(submission, record.hashHex, first.disk) === undefined) {
          this.fail(`record ${toHex(record.hash)} is valid, taken, and not on the ledger`);
        }
      }
    }
  }
}
