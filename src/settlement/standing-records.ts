/**
 * Which records of a participant count for a period, at a height of the chain: those that are on
 * the ledger there, in their latest version there. So what is collected for a height is the same
 * today and in a year, whatever was corrected in between.
 *
 * Records may be added in any order, as lists are by time and not by position.
 */
import { toHex } from "../base/bytes.js";
import { type LoadProfile, type Record, ValueQuality } from "../gen/bss/v1/record_pb.js";
import { parsePayload } from "../ledger/kinds/kinds.js";
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
  readonly contributions: readonly Contribution[];
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
  readonly #records = new Map<string, readonly Contribution[]>();
  readonly #superseded = new Set<string>();

  constructor(options: Options) {
    this.#options = options;
  }

  add({ hash, position, record }: ListedRecord): void {
    if (position >= this.#options.treeSize) return;
    if (record.parent.length > 0) this.#superseded.add(toHex(record.parent));
    const contributions = this.#contributionsOf(record);
    if (contributions.length > 0) this.#records.set(toHex(hash), contributions);
  }

  /** By hash. */
  standing(): readonly StandingRecord[] {
    return [...this.#records]
      .filter(([hash]) => !this.#superseded.has(hash))
      .map(([hash, contributions]) => ({ hash, contributions }))
      .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  }

  #contributionsOf(record: Record): readonly Contribution[] {
    const { participantId, grid, fromS, toS } = this.#options;
    const parsed = parsePayload(record, { ownerId: record.ownerId, grid });
    // What does not parse is not on the ledger.
    if (!parsed.ok) return [];
    const payload = parsed.value;
    const isOwner = record.ownerId === participantId;
    const isInPeriod = ({ deliveryStartS }: Contribution) =>
      deliveryStartS >= fromS && deliveryStartS < toS;
    switch (payload.kind) {
      case "meterReading": {
        if (!isOwner) return [];
        const deliveryStartS = deliveryStartOf(payload.intervalStartS, grid);
        const importedWh = BigInt(payload.importedWh);
        const exportedWh = BigInt(payload.exportedWh);
        return [{ ...none, deliveryStartS, importedWh, exportedWh }].filter(isInPeriod);
      }
      case "loadProfile": {
        const profile = record.payload.case === "loadProfile" ? record.payload.value : undefined;
        if (!isOwner || profile === undefined) return [];
        return profileContributions(profile, grid).filter(isInPeriod);
      }
      case "energyTrade": {
        const { sellerId, buyerId, deliveryStartS, priceMicroPerKwh } = payload;
        const energyWh = BigInt(payload.energyWh);
        const side = { ...none, deliveryStartS, priceMicroPerKwh };
        if (sellerId === participantId) {
          return [{ ...side, soldWh: energyWh }].filter(isInPeriod);
        }
        if (buyerId !== participantId) return [];
        return [{ ...side, boughtWh: energyWh }].filter(isInPeriod);
      }
      default:
        return [];
    }
  }
}

/** The values of a profile, by delivery interval; absent ones add nothing. */
function profileContributions(
  { startUnixS, intervalS, runs, importedWh, exportedWh }: LoadProfile,
  grid: MarketGrid,
): readonly Contribution[] {
  const byDelivery = new Map<number, Contribution>();
  let atS = Number(startUnixS);
  let value = 0;
  for (const { count, quality } of runs) {
    if (quality === ValueQuality.ABSENT) {
      atS += count * intervalS;
      continue;
    }
    for (let i = 0; i < count; i++, value++, atS += intervalS) {
      const deliveryStartS = deliveryStartOf(atS, grid);
      const sums = byDelivery.get(deliveryStartS) ?? { ...none, deliveryStartS };
      byDelivery.set(deliveryStartS, {
        ...sums,
        importedWh: sums.importedWh + BigInt(importedWh[value] ?? 0),
        exportedWh: sums.exportedWh + BigInt(exportedWh[value] ?? 0),
      });
    }
  }
  return [...byDelivery.values()];
}
