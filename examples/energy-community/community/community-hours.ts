/** The data hour by hour: what each meter showed, and who sold how much to whom. */
import { join } from "node:path";
import { defined } from "../../../src/base/assert.js";
import { clearHour, type Position, type Trade } from "./clearing.js";
import { meterIntervalS } from "./community.js";
import type { DataProblems } from "./data-problems.js";
import { dataFileNames, type Home, readHomes, readHours, readTariff } from "./homes-csv.js";
import { HomeMeter } from "./to-wh.js";

export type CommunityHour = {
  /** Unix s. */
  readonly startS: number;
  readonly readings: readonly Position[];
  /** Each pair of homes at most once. */
  readonly trades: readonly Trade[];
  /** Of every trade in this hour. */
  readonly priceMicroPerKwh: bigint;
};

export class Community {
  readonly homes: readonly Home[];
  readonly #directory: string;
  readonly #homesByBuilding: ReadonlyMap<string, Home>;
  /** By row, micro-USD per kWh. */
  readonly #prices: ReadonlyMap<number, bigint>;

  private constructor(
    directory: string,
    homes: ReadonlyMap<string, Home>,
    prices: ReadonlyMap<number, bigint>,
  ) {
    this.homes = [...homes.values()];
    this.#directory = directory;
    this.#homesByBuilding = homes;
    this.#prices = prices;
  }

  /** Opens a directory with the three files. Throws `CliError` for one that cannot be used. */
  static async open(directory: string, problems: DataProblems): Promise<Community> {
    const homes = await readHomes(directory, problems);
    return new Community(directory, homes, await readTariff(directory, problems));
  }

  /** Each call reads the data anew, and the same files give the same hours. Throws `CliError`. */
  async *hours(problems: DataProblems): AsyncGenerator<CommunityHour, void, undefined> {
    const meters = new Map(this.homes.map((home) => [home, new HomeMeter()]));
    const hours = readHours(this.#directory, this.#homesByBuilding, problems);
    for await (const { row, line, startS, homes } of hours) {
      const readings = homes.map((homeHour) => {
        const meter = defined(meters.get(homeHour.home), "every home has a meter");
        return { homeId: homeHour.home.id, ...meter.next(homeHour) };
      });
      // By the time, not by the place in the file: any part of the data clears its hours alike.
      const trades = clearHour(readings, Math.floor(startS / meterIntervalS));
      const price = this.#prices.get(row);
      if (price !== undefined) {
        yield { startS, readings, trades, priceMicroPerKwh: price };
        continue;
      }
      const file = join(this.#directory, dataFileNames.hourly);
      const meaning = "nothing is traded, and what the grid gives is free";
      const message = `no price for row ${row} in ${dataFileNames.tariff}: ${meaning}`;
      problems.add({ file, line, column: "row", message });
      yield { startS, readings, trades: [], priceMicroPerKwh: 0n };
    }
  }
}
