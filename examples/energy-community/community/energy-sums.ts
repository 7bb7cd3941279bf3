/** What a home imported, exported, sold and bought in all: of the data, and of the ledger. */
import { defined } from "../../../src/base/assert.js";
import type { CommunityDay } from "./community-days.js";
import type { CommunityHour } from "./community-hours.js";

export type EnergySums = {
  profiles: number;
  /** Hours of which the profiles have a value. */
  values: number;
  importedWh: bigint;
  exportedWh: bigint;
  sales: number;
  soldWh: bigint;
  boughtWh: bigint;
};

export function noEnergy(): EnergySums {
  const none = { importedWh: 0n, exportedWh: 0n, soldWh: 0n, boughtWh: 0n };
  return { profiles: 0, values: 0, sales: 0, ...none };
}

export function totalOf(all: Iterable<EnergySums>): EnergySums {
  const total = noEnergy();
  for (const sums of all) {
    total.profiles += sums.profiles;
    total.values += sums.values;
    total.importedWh += sums.importedWh;
    total.exportedWh += sums.exportedWh;
    total.sales += sums.sales;
    total.soldWh += sums.soldWh;
    total.boughtWh += sums.boughtWh;
  }
  return total;
}

/** Sums over days, home by home. */
export class CommunitySums {
  readonly byHome: ReadonlyMap<string, EnergySums>;
  /** The most that each home's meter showed for an hour, in either direction. */
  readonly whMax = new Map<string, number>();
  days = 0;
  hours = 0;
  hoursWithTrades = 0;

  constructor(homeIds: readonly string[]) {
    this.byHome = new Map(homeIds.map((id) => [id, noEnergy()]));
  }

  add({ profiles, hours }: CommunityDay): void {
    this.days += 1;
    for (const { homeId } of profiles) this.#of(homeId).profiles += 1;
    for (const hour of hours) this.#addHour(hour);
  }

  /** Over all homes. */
  get total(): EnergySums {
    return totalOf(this.byHome.values());
  }

  get records(): number {
    const { profiles, sales } = this.total;
    return profiles + sales;
  }

  #addHour({ readings, trades }: CommunityHour): void {
    this.hours += 1;
    if (trades.length > 0) this.hoursWithTrades += 1;
    for (const { homeId, importedWh, exportedWh } of readings) {
      const sums = this.#of(homeId);
      sums.values += 1;
      sums.importedWh += BigInt(importedWh);
      sums.exportedWh += BigInt(exportedWh);
      const whMax = Math.max(this.whMax.get(homeId) ?? 0, importedWh, exportedWh);
      this.whMax.set(homeId, whMax);
    }
    for (const { sellerId, buyerId, energyWh } of trades) {
      const seller = this.#of(sellerId);
      seller.sales += 1;
      seller.soldWh += BigInt(energyWh);
      this.#of(buyerId).boughtWh += BigInt(energyWh);
    }
  }

  #of(homeId: string): EnergySums {
    return defined(this.byHome.get(homeId), `${homeId} is one of the homes`);
  }
}
