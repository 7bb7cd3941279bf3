/**
 * A model of the market on its own: it decodes the records of final blocks, in ledger order, and
 * keeps what stands for each interval of each meter, and sums. A value of a load profile counts as
 * a reading does. After each record, what somebody has sold in an hour is at most what the latest
 * versions of its measurements exported there, and what it has bought at most what they imported.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { toHex, utf8 } from "../../../src/base/bytes.js";
import { sha256 } from "../../../src/crypto/hash.js";
import {
  type LoadProfile,
  type MeterReading,
  type Record,
  RecordSchema,
  type TradeTerms,
  TradeTermsSchema,
  ValueQuality,
} from "../../../src/gen/bss/v1/record_pb.js";
import { hourS } from "../consortium.js";

/** Wh that a participant has measured and traded in an hour. */
export type Flows = {
  readonly exported: bigint;
  readonly imported: bigint;
  readonly sold: bigint;
  readonly bought: bigint;
};

/** What stands for an interval of a meter. */
export type Standing = {
  readonly imported: bigint;
  readonly exported: bigint;
  /** Of the record that it is from, in ledger order. */
  readonly position: number;
};

type Place = {
  readonly owner: string;
  readonly meterId: string;
  readonly startS: number;
  readonly intervalS: number;
};
/** In order; undefined where there is no value. */
type Values = readonly (Pick<Standing, "imported" | "exported"> | undefined)[];
type Measured = Place & { readonly values: Values };

const noFlows: Flows = { exported: 0n, imported: 0n, sold: 0n, bought: 0n };

export class EnergyModel {
  readonly #consortiumId: Uint8Array;
  readonly #fail: (message: string) => never;
  /** Position by record hash. */
  readonly #records = new Map<string, number>();
  readonly #updated = new Set<string>();
  readonly #trades = new Set<string>();
  /** By record hash. */
  readonly #measured = new Map<string, Measured>();
  readonly #standing = new Map<string, Standing>();
  readonly #flows = new Map<string, Flows>();

  constructor(consortiumId: Uint8Array, fail: (message: string) => never) {
    this.#consortiumId = consortiumId;
    this.#fail = fail;
  }

  standing(meterId: string, startS: number): Standing | undefined {
    return this.#standing.get(`${meterId}/${startS}`);
  }

  flows(participant: string, startS: number): Flows {
    return this.#flows.get(`${participant}/${startS}`) ?? noFlows;
  }

  /** Takes the next record on the ledger; says what it is. */
  take(bytes: Uint8Array): { readonly kind: string; readonly isUpdate: boolean } {
    const hash = toHex(sha256(utf8("bss/v1/record"), this.#consortiumId, bytes));
    if (this.#records.has(hash)) this.#fail(`record ${hash} stands twice`);
    const position = this.#records.size;
    this.#records.set(hash, position);
    const record = fromBinary(RecordSchema, bytes);
    const parent = toHex(record.parent);
    if (parent !== "") {
      if (!this.#records.has(parent)) this.#fail(`${hash} updates what is not there`);
      if (this.#updated.has(parent)) this.#fail(`${parent} is updated twice`);
      this.#updated.add(parent);
    }
    const measured = measuredIn(record);
    if (measured !== undefined) this.#takeMeasured(hash, parent, { ...measured, position });
    if (record.payload.case === "energyTrade") {
      this.#takeTrade(fromBinary(TradeTermsSchema, record.payload.value.terms));
    }
    return { kind: record.payload.case ?? "", isUpdate: parent !== "" };
  }

  #takeMeasured(hash: string, parent: string, next: Measured & { position: number }): void {
    const before = this.#measured.get(parent);
    if (parent !== "" && (before === undefined || rangeOf(before) !== rangeOf(next))) {
      this.#fail(`${hash} updates what is of another meter or other intervals`);
    }
    this.#measured.set(hash, next);
    const { owner, meterId, position } = next;
    const hours = new Set<number>();
    for (const [i, value] of next.values.entries()) {
      const startS = next.startS + i * next.intervalS;
      const [key, hour] = [`${meterId}/${startS}`, startS - (startS % hourS)];
      hours.add(hour);
      const old = this.#standing.get(key);
      const isOwn = old !== undefined && old.position === this.#records.get(parent);
      if (value !== undefined && old !== undefined && !isOwn) this.#fail(`two values for ${key}`);
      if (isOwn) this.#add(owner, hour, { imported: -old.imported, exported: -old.exported });
      if (isOwn) this.#standing.delete(key);
      if (value === undefined) continue;
      this.#add(owner, hour, value);
      this.#standing.set(key, { ...value, position });
    }
    for (const hour of hours) this.#check(owner, hour);
  }

  #takeTrade(terms: TradeTerms): void {
    const id = toHex(terms.tradeId);
    if (this.#trades.has(id)) this.#fail(`trade ${id} is recorded twice`);
    this.#trades.add(id);
    const hour = Number(terms.deliveryStartUnixS);
    this.#add(terms.sellerId, hour, { sold: terms.energyWh });
    this.#add(terms.buyerId, hour, { bought: terms.energyWh });
    this.#check(terms.sellerId, hour);
    this.#check(terms.buyerId, hour);
  }

  #check(participant: string, hour: number): void {
    const { exported, imported, sold, bought } = this.flows(participant, hour);
    if (sold > exported) this.#fail(`${participant} sold ${sold} Wh and exported ${exported}`);
    if (bought > imported) {
      this.#fail(`${participant} bought ${bought} Wh and imported ${imported}`);
    }
  }

  #add(participant: string, hour: number, more: Partial<Flows>): void {
    const { exported, imported, sold, bought } = this.flows(participant, hour);
    this.#flows.set(`${participant}/${hour}`, {
      exported: exported + (more.exported ?? 0n),
      imported: imported + (more.imported ?? 0n),
      sold: sold + (more.sold ?? 0n),
      bought: bought + (more.bought ?? 0n),
    });
  }
}

/** What an update keeps. */
function rangeOf({ meterId, startS, intervalS, values }: Measured): string {
  return `${meterId}/${startS}/${intervalS}/${values.length}`;
}

function measuredIn({ ownerId, payload }: Record): Measured | undefined {
  if (payload.case === "meterReading") return { owner: ownerId, ...readingOf(payload.value) };
  if (payload.case === "loadProfile") return { owner: ownerId, ...profileOf(payload.value) };
  return undefined;
}

function readingOf(reading: MeterReading): Omit<Measured, "owner"> {
  const { meterId, intervalS, importedWh, exportedWh } = reading;
  const values = [{ imported: importedWh, exported: exportedWh }];
  return { meterId, intervalS, startS: Number(reading.intervalStartUnixS), values };
}

function profileOf(profile: LoadProfile): Omit<Measured, "owner"> {
  const { meterId, intervalS, startUnixS, runs, importedWh, exportedWh } = profile;
  let next = 0;
  const values = runs.flatMap(({ count, quality }) =>
    Array.from({ length: count }, () => {
      if (quality === ValueQuality.ABSENT) return undefined;
      const [imported, exported] = [importedWh[next] ?? 0, exportedWh[next] ?? 0];
      next += 1;
      return { imported: BigInt(imported), exported: BigInt(exported) };
    }),
  );
  return { meterId, intervalS, startS: Number(startUnixS), values };
}
