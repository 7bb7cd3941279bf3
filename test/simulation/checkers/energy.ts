/**
 * Invariant 7: no double spend, no double update, and no interval of a meter with two values. Held
 * against a model of the market (energy-model.ts); in the end the state is what the model has: what
 * stands for each interval, and every sum.
 */

import { stateKeys } from "../../../src/ledger/state/state-keys.js";
import { StateTables } from "../../../src/ledger/state/state-tables.js";
import { type WindowSlot, windowIntervals } from "../../../src/ledger/state/windows.js";
import type { ManagerStore } from "../../../src/store/manager-store.js";
import { type Consortium, firstDayS, hourS, meterOf, quarterS } from "../consortium.js";
import type { Counters } from "../counters.js";
import { Checker, type FinalBlock } from "../events.js";
import { EnergyModel } from "./energy-model.js";
import type { FinalDisks } from "./final-disks.js";

/** What the state keeps for one interval after the other, beside what the model has. */
type Series = {
  readonly name: string;
  readonly intervalS: number;
  readonly keyOf: (window: number) => Uint8Array;
  /** Undefined for an interval without a value. */
  readonly textsAt: (
    tables: StateTables,
    at: WindowSlot,
    startS: number,
  ) => Readonly<Record<"found" | "expected", string | undefined>>;
};

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
      await this.#compare(id, store, this.#valuesOf(meterOf(participant)));
      await this.#compare(id, store, this.#sumsOf(participant));
    }
  }

  async #compare(id: string, store: ManagerStore, series: Series): Promise<void> {
    const { name, intervalS, keyOf, textsAt } = series;
    for (const window of windowsOf(intervalS)) {
      const tables = new StateTables(await store.state([keyOf(window)]));
      for (let slot = 0; slot < windowIntervals; slot++) {
        const startS = (window * windowIntervals + slot) * intervalS;
        const { found, expected } = textsAt(tables, { window, slot }, startS);
        if (found !== expected) {
          this.fail(`${id} has ${found} as ${name} at ${startS}, not ${expected}`);
        }
      }
    }
  }

  #valuesOf(meterId: string): Series {
    return {
      name: `value of ${meterId}`,
      intervalS: quarterS,
      keyOf: (window) => stateKeys.readings(meterId, window),
      textsAt: ({ readings }, at, startS) => {
        const stored = readings.get(meterId, at);
        const standing = this.#model.standing(meterId, startS);
        return {
          found: stored && `${stored.importedWh} ${stored.exportedWh} ${stored.position}`,
          expected: standing && `${standing.imported} ${standing.exported} ${standing.position}`,
        };
      },
    };
  }

  #sumsOf(participant: string): Series {
    return {
      name: `sums of ${participant}`,
      intervalS: hourS,
      keyOf: (window) => stateKeys.energy(participant, window),
      textsAt: ({ energy }, at, startS) => {
        const { exported, imported, sold, bought } = this.#model.flows(participant, startS);
        const stored = energy.get(participant, at);
        const { exportedWh = 0, importedWh = 0, soldWh = 0, boughtWh = 0 } = stored ?? {};
        return {
          found: `${exportedWh} ${importedWh} ${soldWh} ${boughtWh}`,
          expected: `${exported} ${imported} ${sold} ${bought}`,
        };
      },
    };
  }
}

/** The records are of the first day, and of the last hours before it. */
function windowsOf(intervalS: number): readonly number[] {
  const first = firstDayS / intervalS / windowIntervals;
  return [first - 1, first];
}
