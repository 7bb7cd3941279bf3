/**
 * Invariant 7: no double spend, no double update, and no interval of a meter with two values. Held
 * against a model of the market (energy-model.ts); in the end the state is what the model has: what
 * stands for each interval, and every sum.
 */

import { stateKeys } from "../../../src/ledger/state/state-keys.js";
import { StateTables } from "../../../src/ledger/state/state-tables.js";
import { windowIntervals } from "../../../src/ledger/state/windows.js";
import type { ManagerStore } from "../../../src/store/manager-store.js";
import { type Consortium, firstDayS, hourS, meterOf, quarterS } from "../consortium.js";
import type { Counters } from "../counters.js";
import { Checker, type FinalBlock } from "../events.js";
import { EnergyModel } from "./energy-model.js";
import type { FinalDisks } from "./final-disks.js";

export class EnergyChecker extends Checker {
  readonly name = "energy";
  readonly #consortium: Consortium;
  readonly #disks: () => Promise<FinalDisks>;
  readonly #counters: Counters;
  readonly #model: EnergyModel;
  #height = 0;

  constructor(consortium: Consortium, disks: () => Promise<FinalDisks>, counters: Counters) {
    super();
    this.#consortium = consortium;
    this.#disks = disks;
    this.#counters = counters;
    const { consortiumId } = consortium.genesis;
    this.#model = new EnergyModel(consortiumId, (message) => this.fail(message));
  }

  override appended(_managerId: string, { block, parsed }: FinalBlock): void {
    // All managers hold the same blocks, or the run ends for that.
    if (parsed.height <= this.#height) return;
    this.#height = parsed.height;
    for (const bytes of block.records) {
      const { kind, isUpdate } = this.#model.take(bytes);
      this.#counters.count(`final ${isUpdate ? "update" : "record"}: ${kind}`);
    }
  }

  /** All managers that hold the last block have one state, or the replay fails. */
  override async finish(): Promise<void> {
    const { managers } = await this.#disks();
    const last = [...managers].find(([, { head }]) => head.height === this.#height);
    if (last === undefined) return;
    const [id, store] = last;
    for (const participant of this.#consortium.participantIds) {
      await this.#compareMeter(id, store, meterOf(participant));
      await this.#compareSums(id, store, participant);
    }
  }

  async #compareMeter(id: string, store: ManagerStore, meterId: string): Promise<void> {
    for (const window of windowsOf(quarterS)) {
      const key = stateKeys.readings(meterId, window);
      const { readings } = new StateTables(await store.state([key]));
      const values = readings.window(meterId, window);
      for (let slot = 0; slot < windowIntervals; slot++) {
        const startS = (window * windowIntervals + slot) * quarterS;
        const {
          imported = "",
          exported = "",
          position = "",
        } = this.#model.standing(meterId, startS) ?? {};
        const { importedWh = "", exportedWh = "", position: stored = "" } = values[slot] ?? {};
        const expected = `${imported} ${exported} ${position}`;
        const found = `${importedWh} ${exportedWh} ${stored}`;
        if (found !== expected) {
          this.fail(`${id} has ${found} for ${meterId} at ${startS}, not ${expected}`);
        }
      }
    }
  }

  async #compareSums(id: string, store: ManagerStore, participant: string): Promise<void> {
    for (const window of windowsOf(hourS)) {
      const key = stateKeys.energy(participant, window);
      const { energy } = new StateTables(await store.state([key]));
      const sums = energy.window(participant, window);
      for (let slot = 0; slot < windowIntervals; slot++) {
        const startS = (window * windowIntervals + slot) * hourS;
        const { exported, imported, sold, bought } = this.#model.flows(participant, startS);
        const { exportedWh = 0, importedWh = 0, soldWh = 0, boughtWh = 0 } = sums[slot] ?? {};
        const expected = `${exported} ${imported} ${sold} ${bought}`;
        const found = `${exportedWh} ${importedWh} ${soldWh} ${boughtWh}`;
        if (found !== expected) {
          this.fail(`${id} has sums ${found} of ${participant} at ${startS}, not ${expected}`);
        }
      }
    }
  }
}

/** The records are of the first day, and of the last hours before it. */
function windowsOf(intervalS: number): readonly number[] {
  const first = firstDayS / intervalS / windowIntervals;
  return [first - 1, first];
}
