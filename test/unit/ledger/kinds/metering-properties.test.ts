/**
 * Readings, load profiles, trades and updates of all three, in any order, on several grids. The
 * model keeps one cell for each interval of each meter and a list of trades, and adds them up anew
 * each time. The ledger must come to the same verdicts, and after each record to the same sums of
 * each participant and delivery interval, to the Wh. So must the settlement, which adds up records.
 *
 * `HISTORIES` is how many are tried: 10,000 unless said otherwise. `SEED` has the same ones tried.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { defined } from "../../../../src/base/assert.js";
import { RecordSchema, TradeTermsSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import type { MarketGrid } from "../../../../src/ledger/kinds/market-grid.js";
import { type ListedRecord, StandingRecords } from "../../../../src/settlement/standing-records.js";
import { hourS, quarterS, startS } from "../support/consortium.js";
import { Market, type MarketMeter } from "../support/market.js";
import {
  type ProfileValue,
  profileBytes,
  readingBytes,
  recordBytes,
  sixteen,
} from "../support/records.js";

const histories = Number(process.env.HISTORIES ?? 10_000);
const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };

const owners = ["participant-1", "participant-2"] as const;
const deliveries = 4;
/** So that windows of hours and of quarters end within these delivery intervals. */
const fromS = startS + 22 * hourS;
/** W of each meter of a market. */
const ratedPowerW = 10_000;

type Setting = { readonly grid: MarketGrid; readonly intervalsS: readonly [number, number] };

const settings: readonly Setting[] = [
  { grid: { deliveryIntervalS: hourS, deliveryOffsetS: 0 }, intervalsS: [quarterS, 300] },
  { grid: { deliveryIntervalS: hourS, deliveryOffsetS: 1800 }, intervalsS: [quarterS, hourS] },
  { grid: { deliveryIntervalS: quarterS, deliveryOffsetS: 0 }, intervalsS: [quarterS, 300] },
];

type Step = {
  readonly kind: "reading" | "profile" | "trade" | "update";
  readonly owner: number;
  readonly meter: number;
  /** Of an interval or delivery interval, modulo how many there are. */
  readonly place: number;
  readonly values: readonly ProfileValue[];
  readonly energy: number;
  readonly pick: number;
};

/** Small, so that sums are often exactly what is sold or bought; now and then above the rating. */
const wh = fc.oneof({ weight: 80, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(12_000) });
const value: fc.Arbitrary<ProfileValue> = fc.option(fc.tuple(wh, wh), { nil: undefined, freq: 4 });
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("reading", "profile", "profile", "trade", "trade", "update", "update"),
  owner: fc.constantFrom(0, 1),
  meter: fc.constantFrom(0, 1),
  place: fc.nat(47),
  values: fc.array(value, { minLength: 1, maxLength: 14 }),
  energy: fc.integer({ min: 1, max: 5 }),
  pick: fc.nat(30),
});

/** What stands for an interval. */
type Cell = { readonly imported: number; readonly exported: number; readonly by: Version };
type Measured = { readonly owner: number; readonly meter: number; readonly first: number };
type Version = {
  readonly hash: Uint8Array;
  isLatest: boolean;
  readonly of:
    | (Measured & {
        readonly kind: "reading" | "profile";
        readonly values: readonly ProfileValue[];
      })
    | {
        readonly kind: "trade";
        readonly seller: number;
        readonly delivery: number;
        readonly energy: number;
      };
};
type Sums = { imported: number; exported: number; sold: number; bought: number };

class Model {
  readonly versions: Version[] = [];
  readonly #setting: Setting;
  /** By owner, meter and interval. */
  readonly #cells = new Map<string, Cell>();

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  intervals(meter: number): number {
    return deliveries * this.perDelivery(meter);
  }

  perDelivery(meter: number): number {
    return this.#setting.grid.deliveryIntervalS / (this.#setting.intervalsS[meter] ?? 0);
  }

  cell(owner: number, meter: number, interval: number): Cell | undefined {
    return this.#cells.get(`${owner} ${meter} ${interval}`);
  }

  /** As if `without` had never been. */
  sums(owner: number, delivery: number, without?: Version): Sums {
    const sums = { imported: 0, exported: 0, sold: 0, bought: 0 };
    for (const meter of [0, 1]) {
      const per = this.perDelivery(meter);
      for (let i = delivery * per; i < (delivery + 1) * per; i++) {
        const cell = this.cell(owner, meter, i);
        if (cell === undefined || cell.by === without) continue;
        sums.imported += cell.imported;
        sums.exported += cell.exported;
      }
    }
    for (const version of this.versions) {
      const { of, isLatest } = version;
      if (of.kind !== "trade" || !isLatest || version === without) continue;
      if (of.delivery !== delivery) continue;
      if (of.seller === owner) sums.sold += of.energy;
      else sums.bought += of.energy;
    }
    return sums;
  }

  whyNot(of: Version["of"], parent: Version | undefined): string | undefined {
    if (parent !== undefined && !parent.isLatest) return "PARENT_NOT_LATEST";
    if (of.kind === "trade") {
      const seller = this.sums(of.seller, of.delivery, parent);
      if (seller.sold + of.energy > seller.exported) return "DOUBLE_SPEND";
      const buyer = this.sums(1 - of.seller, of.delivery, parent);
      return buyer.bought + of.energy > buyer.imported ? "OVER_PURCHASE" : undefined;
    }
    const { owner, meter, first, values } = of;
    const limit = (ratedPowerW * (this.#setting.intervalsS[meter] ?? 0)) / 3600;
    const added = new Map<number, readonly [number, number]>();
    let isAboveRating = false;
    for (const [i, each] of values.entries()) {
      const delivery = Math.floor((first + i) / this.perDelivery(meter));
      const [imported, exported] = added.get(delivery) ?? [0, 0];
      added.set(delivery, [imported + (each?.[0] ?? 0), exported + (each?.[1] ?? 0)]);
      if (each === undefined) continue;
      const cell = this.cell(owner, meter, first + i);
      if (cell !== undefined && cell.by !== parent) return "INTERVAL_OVERLAP";
      isAboveRating ||= Math.max(...each) > limit;
    }
    if (isAboveRating) return "ENERGY_ABOVE_RATING";
    for (const [delivery, [imported, exported]] of added) {
      const sums = this.sums(owner, delivery, parent);
      if (sums.exported + exported < sums.sold) return "EXPORT_BELOW_SOLD";
      if (sums.imported + imported < sums.bought) return "IMPORT_BELOW_BOUGHT";
    }
    return undefined;
  }

  add(version: Version, parent: Version | undefined): void {
    if (parent !== undefined) parent.isLatest = false;
    for (const [key, { by }] of this.#cells) if (by === parent) this.#cells.delete(key);
    this.versions.push(version);
    const { of } = version;
    if (of.kind === "trade") return;
    for (const [i, each] of of.values.entries()) {
      if (each === undefined) continue;
      const [imported, exported] = each;
      this.#cells.set(`${of.owner} ${of.meter} ${of.first + i}`, {
        imported,
        exported,
        by: version,
      });
    }
  }
}

class History {
  readonly model: Model;
  readonly market: Market;
  readonly #setting: Setting;
  /** In the order of the log. */
  readonly #placed: ListedRecord[] = [];

  constructor(setting: Setting) {
    this.#setting = setting;
    this.model = new Model(setting);
    const meters = owners.flatMap((ownerId, owner): MarketMeter[] =>
      setting.intervalsS.map((intervalS, meter) => ({
        meterId: `of-${owner}-${meter}`,
        ownerId,
        intervalS,
      })),
    );
    this.market = new Market(setting.grid, meters);
  }

  /** The verdict on a step, or undefined where there is nothing to update. */
  take(next: Step): string | undefined {
    const { versions } = this.model;
    const parent = next.kind === "update" ? versions[next.pick % versions.length] : undefined;
    if (next.kind === "update" && parent === undefined) return undefined;
    const of = this.#contentOf(next, parent);
    const bytes = this.#bytesOf(of, parent?.hash);
    const expected = this.model.whyNot(of, parent);
    const refused = this.market.try(bytes);
    assert.equal(refused?.reason, expected, refused?.message);
    if (expected === undefined) {
      const hash = this.market.hashOf(bytes);
      this.model.add({ hash, isLatest: true, of }, parent);
      const record = fromBinary(RecordSchema, bytes);
      this.#placed.push({ hash, record, position: this.#placed.length });
    }
    return `${of.kind}${parent === undefined ? "" : " update"} ${expected ?? "placed"}`;
  }

  assertSame(): void {
    for (const [owner, id] of owners.entries()) {
      for (let delivery = 0; delivery < deliveries; delivery++) {
        const sums = this.market.sums(id, this.#deliveryStartS(delivery));
        const { imported, exported, sold, bought } = this.model.sums(owner, delivery);
        const isSame =
          sums.importedWh === imported &&
          sums.exportedWh === exported &&
          sums.soldWh === sold &&
          sums.boughtWh === bought;
        if (!isSame) assert.deepEqual(sums, { imported, exported, sold, bought });
        assert.ok(sold <= exported && bought <= imported);
      }
    }
  }

  /** In whatever order the records are listed. */
  assertSameSettlement(): void {
    for (const [owner, participantId] of owners.entries()) {
      const [fromS, toS] = [this.#deliveryStartS(1), this.#deliveryStartS(deliveries - 1)];
      const treeSize = this.#placed.length;
      const { grid } = this.#setting;
      const standing = new StandingRecords({ fromS, toS, participantId, treeSize, grid });
      for (const each of owner === 0 ? this.#placed : this.#placed.toReversed()) standing.add(each);
      const sums = { imported: 0n, exported: 0n, sold: 0n, bought: 0n };
      for (const contribution of standing.standing().flatMap((each) => [...each.contributions])) {
        sums.imported += contribution.importedWh;
        sums.exported += contribution.exportedWh;
        sums.sold += contribution.soldWh;
        sums.bought += contribution.boughtWh;
      }
      const inPeriod = [1, 2].map((delivery) => this.model.sums(owner, delivery));
      for (const name of ["imported", "exported", "sold", "bought"] as const) {
        const expected = inPeriod.reduce((sum, each) => sum + each[name], 0);
        assert.equal(Number(sums[name]), expected, name);
      }
    }
  }

  /** Each value that stands, and none where nothing does. */
  assertSameCells(): void {
    for (const owner of owners.keys()) {
      for (const [meter, intervalS] of this.#setting.intervalsS.entries()) {
        for (let i = 0; i < this.model.intervals(meter); i++) {
          const at = this.#deliveryStartS(0) + i * intervalS;
          const standing = this.market.standing(`of-${owner}-${meter}`, at, intervalS);
          const cell = this.model.cell(owner, meter, i);
          assert.deepEqual(
            standing && [standing.importedWh, standing.exportedWh],
            cell && [cell.imported, cell.exported],
          );
        }
      }
    }
  }

  #deliveryStartS(delivery: number): number {
    const { deliveryIntervalS, deliveryOffsetS } = this.#setting.grid;
    return fromS + deliveryOffsetS + delivery * deliveryIntervalS;
  }

  #contentOf(next: Step, parent: Version | undefined): Version["of"] {
    if (parent?.of.kind === "trade") return { ...parent.of, energy: next.energy };
    if (parent !== undefined) {
      const values = parent.of.values.map((_, i) => next.values[i % next.values.length]);
      const isReading = parent.of.kind === "reading";
      return { ...parent.of, values: isReading ? [presentOf(values[0])] : values };
    }
    if (next.kind === "trade") {
      const delivery = next.place % deliveries;
      return { kind: "trade", seller: next.owner, delivery, energy: next.energy };
    }
    const { owner, meter } = next;
    const intervals = this.model.intervals(meter);
    const first = next.place % intervals;
    if (next.kind === "reading") {
      return { kind: "reading", owner, meter, first, values: [presentOf(next.values[0])] };
    }
    return {
      kind: "profile",
      owner,
      meter,
      first,
      values: next.values.slice(0, intervals - first),
    };
  }

  #bytesOf(of: Version["of"], parent: Uint8Array | undefined): Uint8Array {
    const update = parent === undefined ? {} : { parent };
    if (of.kind === "trade") {
      return unsignedTrade(of.seller, this.#deliveryStartS(of.delivery), of.energy, update);
    }
    const intervalS = defined(this.#setting.intervalsS[of.meter], "an owner has two meters");
    const common = {
      owner: defined(owners[of.owner], "there are two"),
      meter: `of-${of.owner}-${of.meter}`,
      start: this.#deliveryStartS(0) + of.first * intervalS,
      intervalS,
      ...update,
    };
    if (of.kind === "profile") return profileBytes({ ...common, values: of.values });
    const [imported, exported] = presentOf(of.values[0]);
    return readingBytes({ ...common, imported, exported });
  }
}

function presentOf(value: ProfileValue): readonly [number, number] {
  return value ?? [0, 0];
}

let trades = 0;

/** Signatures are verified apart from the rules, and cost more than all else here. */
function unsignedTrade(
  seller: number,
  deliveryStartS: number,
  energy: number,
  update: { readonly parent?: Uint8Array },
): Uint8Array {
  trades += 1;
  const sellerId = defined(owners[seller], "there are two");
  const terms = toBinary(
    TradeTermsSchema,
    create(TradeTermsSchema, {
      tradeId: sixteen(`trade ${trades}`),
      sellerId,
      buyerId: defined(owners[1 - seller], "there are two"),
      deliveryStartUnixS: BigInt(deliveryStartS),
      energyWh: BigInt(energy),
      priceMicroPerKwh: 200_000n,
    }),
  );
  return recordBytes({
    ownerId: sellerId,
    timeUnixMs: BigInt(deliveryStartS * 1000),
    payload: { case: "energyTrade", value: { terms } },
    ...update,
  });
}

test("readings, profiles and trades are judged and added up as by the model", () => {
  const verdicts = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.constantFrom(...settings),
      fc.array(step, { minLength: 6, maxLength: 24 }),
      (setting, steps) => {
        const history = new History(setting);
        for (const next of steps) {
          const verdict = history.take(next);
          if (verdict === undefined) continue;
          verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
          history.assertSame();
        }
        history.assertSameCells();
        history.assertSameSettlement();
      },
    ),
    { numRuns: histories, endOnFailure: true, ...seed },
  );
  for (const verdict of [
    "reading placed",
    "reading INTERVAL_OVERLAP",
    "reading update placed",
    "reading update PARENT_NOT_LATEST",
    "profile placed",
    "profile INTERVAL_OVERLAP",
    "profile ENERGY_ABOVE_RATING",
    "profile update placed",
    "profile update INTERVAL_OVERLAP",
    "profile update PARENT_NOT_LATEST",
    "profile update EXPORT_BELOW_SOLD",
    "profile update IMPORT_BELOW_BOUGHT",
    "trade placed",
    "trade DOUBLE_SPEND",
    "trade OVER_PURCHASE",
    "trade update placed",
  ]) {
    assert.ok((verdicts.get(verdict) ?? 0) > 0, `${verdict} was never tried`);
  }
});
