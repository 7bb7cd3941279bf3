/**
 * Conservation on any grid. A model that knows intervals as pairs of times, and neither grids nor
 * remainders, keeps lists of readings and trades. It asks which delivery interval holds a reading
 * whole by looking at every one that there is.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { MarketGrid } from "../../../../src/ledger/kinds/market-grid.js";
import { participantIds, startS } from "../support/consortium.js";
import { Market, type MarketMeter } from "../support/market.js";
import { readingBytes, tradeBytes } from "../support/records.js";

type Span = { readonly from: number; readonly to: number };
type Energy = { readonly imported: number; readonly exported: number };
type Reading = Energy & { readonly meter: MarketMeter; readonly span: Span };
type Trade = {
  readonly seller: string;
  readonly buyer: string;
  readonly start: number;
  readonly energy: number;
};
type Version<T> = { readonly hash: Uint8Array; readonly of: T; isLatest: boolean };

type Step = Energy & {
  readonly kind: "reading" | "reading-update" | "trade" | "trade-update";
  readonly pick: number;
  readonly other: number;
  /** Which of the places where a record may start. */
  readonly place: number;
  readonly isOnGrid: boolean;
  readonly energy: number;
};

type World = MarketGrid & { readonly meters: readonly MarketMeter[]; readonly steps: Step[] };

const deliveryIntervals = [900, 1800, 3600, 5400, 7200, 86_400] as const;
/** Delivery intervals that records fall into, and places in each: few, so that records meet. */
const deliveriesCount = 2;
const placesCount = 3;

const divisorsOf = (value: number) =>
  [300, 900, 1800, 3600, 5400, 7200, 86_400].filter((each) => value % each === 0);

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    ...(["reading", "reading", "reading-update", "reading-update"] as const),
    ...(["trade", "trade", "trade", "trade-update"] as const),
  ),
  pick: fc.nat(1000),
  other: fc.nat(1000),
  place: fc.nat(1000),
  isOnGrid: fc.nat(9).map((draw) => draw > 0),
  imported: fc.nat(9),
  exported: fc.nat(9),
  energy: fc.integer({ min: 1, max: 4 }),
});

const world: fc.Arbitrary<World> = fc
  .constantFrom(...deliveryIntervals)
  .chain((deliveryIntervalS) =>
    fc.record({
      deliveryIntervalS: fc.constant(deliveryIntervalS),
      deliveryOffsetS: fc.nat(deliveryIntervalS / 900 - 1).map((quarters) => quarters * 900),
      meters: fc
        .array(fc.constantFrom(...divisorsOf(deliveryIntervalS)), { minLength: 4, maxLength: 7 })
        .map((intervals) =>
          intervals.map((intervalS, i) => {
            const ownerId = participantIds[i % participantIds.length] ?? "";
            return { meterId: `m-${i}`, ownerId, intervalS };
          }),
        ),
      steps: fc.array(step, { minLength: 30, maxLength: 90 }),
    }),
  );

class Model {
  readonly readings: Version<Reading>[] = [];
  readonly trades: Version<Trade>[] = [];
  /** Every delivery interval that a record may touch. */
  readonly deliveries: readonly Span[];

  constructor({ deliveryIntervalS: length, deliveryOffsetS }: MarketGrid) {
    // 86,400 s and every other interval here divide three days.
    const first = startS - (startS % (3 * 86_400)) + deliveryOffsetS;
    this.deliveries = Array.from({ length: deliveriesCount }, (_, i) => {
      return { from: first + i * length, to: first + (i + 1) * length };
    });
  }

  get firstS(): number {
    return this.deliveries[0]?.from ?? 0;
  }

  sums(participant: string, { from, to }: Span, without?: Version<unknown>) {
    const sums = { imported: 0, exported: 0, sold: 0, bought: 0 };
    for (const version of this.readings) {
      const { meter, span, imported, exported } = version.of;
      if (!version.isLatest || version === without || meter.ownerId !== participant) continue;
      if (span.from < from || span.to > to) continue;
      sums.imported += imported;
      sums.exported += exported;
    }
    for (const version of this.trades) {
      if (!version.isLatest || version === without || version.of.start !== from) continue;
      if (version.of.seller === participant) sums.sold += version.of.energy;
      if (version.of.buyer === participant) sums.bought += version.of.energy;
    }
    return sums;
  }

  /** What meters exported and imported altogether, whatever delivery interval it counts for. */
  total(participant: string): Energy {
    const own = this.readings.filter(
      ({ isLatest, of }) => isLatest && of.meter.ownerId === participant,
    );
    return {
      imported: own.reduce((sum, { of }) => sum + of.imported, 0),
      exported: own.reduce((sum, { of }) => sum + of.exported, 0),
    };
  }

  reasonAgainstReading(reading: Reading, parent: Version<Reading> | undefined) {
    const { span, meter } = reading;
    if (parent !== undefined && !parent.isLatest) return "PARENT_NOT_LATEST";
    if (!this.#isStart(span.from, meter.intervalS)) return "INTERVAL_INVALID";
    const overlapping = this.readings.some(
      ({ isLatest, of }) =>
        isLatest && of.meter === meter && of.span.from < span.to && span.from < of.span.to,
    );
    if (overlapping && parent === undefined) return "INTERVAL_OVERLAP";
    const holding = this.deliveries.filter(({ from, to }) => from <= span.from && span.to <= to);
    assert.equal(holding.length, 1, "a reading lies in one delivery interval");
    const sums = this.sums(meter.ownerId, holding[0] ?? assert.fail(), parent);
    if (sums.exported + reading.exported < sums.sold) return "EXPORT_BELOW_SOLD";
    if (sums.imported + reading.imported < sums.bought) return "IMPORT_BELOW_BOUGHT";
    return undefined;
  }

  reasonAgainstTrade(trade: Trade, parent: Version<Trade> | undefined) {
    if (parent !== undefined && !parent.isLatest) return "PARENT_NOT_LATEST";
    const delivery = this.deliveries.find(({ from }) => from === trade.start);
    if (delivery === undefined) return "INTERVAL_INVALID";
    const seller = this.sums(trade.seller, delivery, parent);
    if (seller.sold + trade.energy > seller.exported) return "DOUBLE_SPEND";
    const buyer = this.sums(trade.buyer, delivery, parent);
    if (buyer.bought + trade.energy > buyer.imported) return "OVER_PURCHASE";
    return undefined;
  }

  /** Whether intervals, laid end to end from the start of each delivery interval, start here. */
  #isStart(at: number, intervalS: number): boolean {
    return this.deliveries.some(({ from, to }) => {
      let start = from;
      while (start < at && start < to) start += intervalS;
      return start === at && start < to;
    });
  }
}

/** Where a step's record starts: within the model's delivery intervals, on their grid or beside. */
function startOf(model: Model, { place, isOnGrid }: Step, intervalS: number, grid: MarketGrid) {
  const { deliveryIntervalS } = grid;
  if (!isOnGrid) return model.firstS + ((place * 300) % deliveryIntervalS) + 60;
  const inDelivery = Math.floor(place / deliveriesCount) % placesCount;
  const count = deliveryIntervalS / intervalS;
  return (
    model.firstS + (place % deliveriesCount) * deliveryIntervalS + (inDelivery % count) * intervalS
  );
}

function pickOf<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(1, list.length)];
}

function lowered({ imported, exported }: Energy): Energy {
  return { imported: imported % 3, exported: exported % 3 };
}

/** Offers the step's record to both; undefined when there is nothing to update. */
function offer(model: Model, market: Market, next: Step, world: World): string | undefined {
  if (next.kind === "reading" || next.kind === "reading-update") {
    const parent = next.kind === "reading" ? undefined : pickOf(model.readings, next.pick);
    if (next.kind === "reading-update" && parent === undefined) return undefined;
    const meter = parent?.of.meter ?? pickOf(world.meters, next.pick) ?? assert.fail();
    const from = parent?.of.span.from ?? startOf(model, next, meter.intervalS, world);
    // Updates lower the energy more often than not: what is sold must hold them up.
    const { imported, exported } = parent === undefined ? next : lowered(next);
    const reading = { meter, span: { from, to: from + meter.intervalS }, imported, exported };
    const bytes = readingBytes({
      owner: meter.ownerId,
      meter: meter.meterId,
      start: from,
      intervalS: meter.intervalS,
      imported,
      exported,
      ...(parent === undefined ? {} : { parent: parent.hash }),
    });
    const expected = model.reasonAgainstReading(reading, parent);
    return judge(market, bytes, expected, model.readings, reading, parent);
  }
  const parent = next.kind === "trade" ? undefined : pickOf(model.trades, next.pick);
  if (next.kind === "trade-update" && parent === undefined) return undefined;
  const { energy } = next;
  const seller = participantIds[next.pick % 4] ?? "";
  const buyer = participantIds[(next.pick + 1 + (next.other % 3)) % 4] ?? "";
  const start = startOf(model, next, world.deliveryIntervalS, world);
  const trade = parent === undefined ? { seller, buyer, start, energy } : { ...parent.of, energy };
  const bytes = tradeBytes({
    seller: trade.seller,
    buyer: trade.buyer,
    delivery: trade.start,
    energy,
    ...(parent === undefined ? {} : { parent: parent.hash }),
  });
  const expected = model.reasonAgainstTrade(trade, parent);
  return judge(market, bytes, expected, model.trades, trade, parent);
}

function judge<T>(
  market: Market,
  bytes: Uint8Array,
  expected: string | undefined,
  versions: Version<T>[],
  of: T,
  parent: Version<T> | undefined,
): string {
  const refused = market.try(bytes);
  assert.equal(refused?.reason, expected, refused?.message);
  if (expected !== undefined) return expected;
  if (parent !== undefined) parent.isLatest = false;
  versions.push({ hash: market.hashOf(bytes), of, isLatest: true });
  return "placed";
}

function assertConserved(model: Model, market: Market): void {
  for (const id of participantIds) {
    let imported = 0;
    let exported = 0;
    for (const delivery of model.deliveries) {
      const sums = market.sums(id, delivery.from);
      assert.ok(sums.soldWh <= sums.exportedWh && sums.boughtWh <= sums.importedWh);
      const expected = model.sums(id, delivery);
      assert.deepEqual(
        [sums.importedWh, sums.exportedWh, sums.soldWh, sums.boughtWh],
        [expected.imported, expected.exported, expected.sold, expected.bought],
      );
      imported += sums.importedWh;
      exported += sums.exportedWh;
    }
    // Each Wh stands in one delivery interval: none is lost, none is there twice.
    const total = model.total(id);
    assert.deepEqual([imported, exported], [total.imported, total.exported]);
  }
}

describe("on any grid, with meters of any interval that divides it", () => {
  test("what is sold was exported in that interval, and no energy counts in two", () => {
    const verdicts = new Map<string, number>();
    fc.assert(
      fc.property(world, (drawn) => {
        const market = new Market(drawn, drawn.meters);
        const model = new Model(drawn);
        for (const next of drawn.steps) {
          const verdict = offer(model, market, next, drawn);
          if (verdict === undefined) continue;
          const name = `${next.kind} ${verdict}`;
          verdicts.set(name, (verdicts.get(name) ?? 0) + 1);
          assertConserved(model, market);
        }
      }),
      { numRuns: 60 },
    );
    for (const verdict of [
      "reading placed",
      "reading INTERVAL_INVALID",
      "reading INTERVAL_OVERLAP",
      "reading-update placed",
      "reading-update EXPORT_BELOW_SOLD",
      "reading-update IMPORT_BELOW_BOUGHT",
      "trade placed",
      "trade INTERVAL_INVALID",
      "trade DOUBLE_SPEND",
      "trade OVER_PURCHASE",
      "trade-update placed",
    ]) {
      assert.ok((verdicts.get(verdict) ?? 0) > 0, `${verdict} was never tried`);
    }
  });
});
