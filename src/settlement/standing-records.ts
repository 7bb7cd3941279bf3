/**
 * Which records of a participant count for a period, at a height of the chain: those that are on
 * the ledger there, in their latest version there. So what is collected for a height is the same
 * today and in a year, whatever was corrected in between.
 *
 * Records may be added in any order, as lists are by time and not by position.
 */
import { toHex } from "../base/bytes.js";
import { type LoadProfile, type Record, ValueQuality } from "../gen/bss/v1/record_pb.js";
import { kindOf, parsePayload } from "../ledger/kinds/kinds.js";
import { deliveryStartOf, type MarketGrid } from "../ledger/kinds/market-grid.js";
import { spanSMax } from "../ledger/times.js";

export type Period = {
  /** Unix s; starts of delivery intervals; `toS` is the first one behind. */
  readonly fromS: number;
  readonly toS: number;
};

/** A record as lists of records have it. */
export type ListedRecord = {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** Index in the Merkle log. */
  readonly position: number;
  readonly record: Record;
};

/** What one record adds to one delivery interval of its participant. */
export type Contribution = {
  readonly deliveryStartS: number;
  readonly importedWh: bigint;
  readonly exportedWh: bigint;
  readonly soldWh: bigint;
  readonly boughtWh: bigint;
  /** Millionths of the currency per kWh; of trades only. */
  readonly priceMicroPerKwh: bigint;
};

export type StandingRecord = {
  /** Record hash, lower-case hex. */
  readonly hash: string;
  /** One for each of its delivery intervals in the period. */
  readonly contributions: Iterable<Contribution>;
};

type Options = Period & {
  readonly participantId: string;
  /** Records on the ledger at the height. */
  readonly treeSize: number;
  readonly grid: MarketGrid;
};

const none = {
  importedWh: 0n,
  exportedWh: 0n,
  soldWh: 0n,
  boughtWh: 0n,
  priceMicroPerKwh: 0n,
} as const;

/**
 * The earliest time, Unix ms, of a record that can count: energy is recorded when it has been
 * measured, and trades at most a year before their delivery.
 */
export function earliestTimeMs({ fromS }: Period): number {
  return Math.max(0, fromS - spanSMax) * 1000;
}

export class StandingRecords {
  readonly #options: Options;
  /** Those that are not superseded by what came so far. */
  readonly #records = new Map<string, Iterable<Contribution>>();
  readonly #superseded = new Set<string>();
  #intervals = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Intervals of meters that all records added so far are about, whether they count or not. */
  get intervals(): number {
    return this.#intervals;
  }

  add({ hash, position, record }: ListedRecord): void {
    if (position >= this.#options.treeSize) return;
    if (record.parent.length > 0) {
      const parent = toHex(record.parent);
      this.#superseded.add(parent);
      this.#records.delete(parent);
    }
    const contributions = this.#contributionsOf(record);
    const name = toHex(hash);
    if (contributions !== undefined && !this.#superseded.has(name)) {
      this.#records.set(name, contributions);
    }
  }

  /** By hash. */
  standing(): readonly StandingRecord[] {
    return [...this.#records]
      .map(([hash, contributions]) => ({ hash, contributions }))
      .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  }

  /** Undefined for a record that adds nothing to the period. */
  #contributionsOf(record: Record): Iterable<Contribution> | undefined {
    const { participantId, grid, fromS, toS } = this.#options;
    const parsed = parsePayload(record, { ownerId: record.ownerId, grid });
    // What does not parse is not on the ledger.
    if (!parsed.ok) return undefined;
    const payload = parsed.value;
    this.#intervals += kindOf({ payload }).intervals(payload);
    const isOwner = record.ownerId === participantId;
    const inPeriod = (contribution: Contribution) => {
      const { deliveryStartS } = contribution;
      return deliveryStartS >= fromS && deliveryStartS < toS ? [contribution] : undefined;
    };
    switch (payload.kind) {
      case "meterReading": {
        if (!isOwner) return undefined;
        const deliveryStartS = deliveryStartOf(payload.intervalStartS, grid);
        const importedWh = BigInt(payload.importedWh);
        const exportedWh = BigInt(payload.exportedWh);
        return inPeriod({ ...none, deliveryStartS, importedWh, exportedWh });
      }
      case "loadProfile":
        if (!isOwner || record.payload.case !== "loadProfile") return undefined;
        return ProfileContributions.of(record.payload.value, this.#options);
      case "energyTrade": {
        const { sellerId, buyerId, deliveryStartS, priceMicroPerKwh } = payload;
        const energyWh = BigInt(payload.energyWh);
        const side = { ...none, deliveryStartS, priceMicroPerKwh };
        if (sellerId === participantId) return inPeriod({ ...side, soldWh: energyWh });
        if (buyerId !== participantId) return undefined;
        return inPeriod({ ...side, boughtWh: energyWh });
      }
      default:
        return undefined;
    }
  }
}

/**
 * The values of a profile by delivery interval, as 16 bytes for each: there may be thousands of
 * profiles of thousands of intervals. Absent values add nothing.
 */
class ProfileContributions implements Iterable<Contribution> {
  readonly #firstS: number;
  readonly #stepS: number;
  /** Of the delivery intervals from the first one on; NaN where the profile has no value. */
  readonly #importedWh: Float64Array;
  readonly #exportedWh: Float64Array;

  /** Undefined where it has no value in the period. */
  static of(
    profile: LoadProfile,
    { grid, fromS, toS }: Pick<Options, "grid" | "fromS" | "toS">,
  ): ProfileContributions | undefined {
    const { runs, intervalS } = profile;
    const startS = Number(profile.startUnixS);
    const endS = startS + runs.reduce((sum, { count }) => sum + count, 0) * intervalS;
    const firstS = Math.max(fromS, deliveryStartOf(startS, grid));
    const count = Math.ceil((Math.min(toS, endS) - firstS) / grid.deliveryIntervalS);
    if (count <= 0) return undefined;
    const sums = new ProfileContributions(firstS, grid.deliveryIntervalS, count);
    return sums.#addValues(profile) ? sums : undefined;
  }

  private constructor(firstS: number, stepS: number, count: number) {
    this.#firstS = firstS;
    this.#stepS = stepS;
    this.#importedWh = new Float64Array(count).fill(Number.NaN);
    this.#exportedWh = new Float64Array(count).fill(Number.NaN);
  }

  /** Sums of at most 8,928 values below 2^32 are exact. Whether any value is in the period. */
  #addValues({ startUnixS, intervalS, runs, importedWh, exportedWh }: LoadProfile): boolean {
    let found = false;
    let fromFirstS = Number(startUnixS) - this.#firstS;
    let value = 0;
    for (const { count, quality } of runs) {
      if (quality === ValueQuality.ABSENT) {
        fromFirstS += count * intervalS;
        continue;
      }
      for (let i = 0; i < count; i++, value++, fromFirstS += intervalS) {
        const at = Math.floor(fromFirstS / this.#stepS);
        if (at < 0 || at >= this.#importedWh.length) continue;
        found = true;
        this.#importedWh[at] = (this.#importedWh[at] || 0) + (importedWh[value] ?? 0);
        this.#exportedWh[at] = (this.#exportedWh[at] || 0) + (exportedWh[value] ?? 0);
      }
    }
    return found;
  }

  *[Symbol.iterator](): Generator<Contribution, void, undefined> {
    for (let i = 0; i < this.#importedWh.length; i++) {
      const importedWh = this.#importedWh[i] ?? Number.NaN;
      if (Number.isNaN(importedWh)) continue;
      yield {
        deliveryStartS: this.#firstS + i * this.#stepS,
        importedWh: BigInt(importedWh),
        exportedWh: BigInt(this.#exportedWh[i] ?? 0),
        soldWh: 0n,
        boughtWh: 0n,
        priceMicroPerKwh: 0n,
      };
    }
  }
}
