/**
 * The packed state against a model that keeps every value by its interval's start, whatever the
 * grid is: blocks of readings, trades and updates, each executed on exactly the keys that its
 * records name, from the bytes that the blocks before it left.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { defined } from "../../../../src/base/assert.js";
import { binaryText, toHex } from "../../../../src/base/bytes.js";
import { ControlOperationSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { BlockExecution } from "../../../../src/ledger/blocks/execution.js";
import { energySums } from "../../../../src/ledger/kinds/energy.js";
import {
  deliverySlotOf,
  deliveryStartOf,
  type MarketGrid,
  windowSlotOf,
} from "../../../../src/ledger/kinds/market-grid.js";
import { checkPolicy } from "../../../../src/ledger/policy.js";
import { type ParsedRecord, parseRecord } from "../../../../src/ledger/records/records.js";
import { readKeys, readKeysOfSubmission } from "../../../../src/ledger/state/effects.js";
import { genesisHead } from "../../../../src/ledger/state/head.js";
import {
  PrefetchedState,
  type StateWrite,
  stateDigest,
} from "../../../../src/ledger/state/state.js";
import { IntervalRecordKey, intervalsTaken } from "../../../../src/ledger/state/state-key-list.js";
import { readKeysOfOperation } from "../../../../src/ledger/state/state-operations.js";
import { StateTables } from "../../../../src/ledger/state/state-tables.js";
import { consortiumId, genesis, policy as genesisPolicy, startS } from "../support/consortium.js";
import { accepted } from "../support/outcome.js";
import { readingBytes, tradeBytes } from "../support/records.js";
import { blockMs } from "../support/trial.js";

const owners = ["participant-1", "participant-2"] as const;

/** A grid, and the interval of each owner's two meters. */
type Setting = { readonly grid: MarketGrid; readonly intervalsS: readonly [number, number] };

const setting: fc.Arbitrary<Setting> = fc.constantFrom(
  { grid: { deliveryIntervalS: 3600, deliveryOffsetS: 0 }, intervalsS: [3600, 900] },
  { grid: { deliveryIntervalS: 3600, deliveryOffsetS: 1800 }, intervalsS: [300, 3600] },
  { grid: { deliveryIntervalS: 900, deliveryOffsetS: 0 }, intervalsS: [900, 300] },
  { grid: { deliveryIntervalS: 300, deliveryOffsetS: 0 }, intervalsS: [300, 60] },
  { grid: { deliveryIntervalS: 86_400, deliveryOffsetS: 23 * 3600 }, intervalsS: [86_400, 300] },
  { grid: { deliveryIntervalS: 7, deliveryOffsetS: 0 }, intervalsS: [7, 1] },
);

const step = fc.record({
  kind: fc.constantFrom("reading", "reading", "reading-update", "trade", "trade-update"),
  owner: fc.constantFrom(0, 1),
  meter: fc.constantFrom(0, 1),
  /** In intervals: near each other, a window apart, and days apart. */
  interval: fc.oneof(fc.nat(2), fc.nat(3), fc.nat(60), fc.nat(400)),
  imported: fc.nat(40),
  exported: fc.nat(40),
  pick: fc.oneof(fc.nat(5), fc.nat(1_000)),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Version = { readonly hash: Uint8Array; isLatest: boolean };
type Reading = Version & {
  readonly owner: number;
  readonly meter: string;
  readonly start: number;
  readonly intervalS: number;
  readonly imported: number;
  readonly exported: number;
};
type Trade = Version & { readonly seller: number; readonly start: number; readonly energy: number };

class Model {
  readonly readings: Reading[] = [];
  readonly trades: Trade[] = [];
  readonly #grid: MarketGrid;

  constructor(grid: MarketGrid) {
    this.#grid = grid;
  }

  sums(owner: number, start: number) {
    const sums = { importedWh: 0, exportedWh: 0, soldWh: 0, boughtWh: 0 };
    for (const each of this.readings) {
      if (!each.isLatest || each.owner !== owner) continue;
      if (deliveryStartOf(each.start, this.#grid) !== start) continue;
      sums.importedWh += each.imported;
      sums.exportedWh += each.exported;
    }
    for (const each of this.trades) {
      if (!each.isLatest || each.start !== start) continue;
      if (each.seller === owner) sums.soldWh += each.energy;
      else sums.boughtWh += each.energy;
    }
    return sums;
  }

  whyNot(made: Made): string | undefined {
    const { parent } = made;
    if (parent !== undefined && !parent.isLatest) return "PARENT_NOT_LATEST";
    const without = parent === undefined ? undefined : this.#without(parent);
    const model = without ?? this;
    if (made.reading !== undefined) {
      const { meter, start, owner, imported, exported } = made.reading;
      const isSame = (each: Reading) => each.meter === meter && each.start === start;
      if (model.readings.some((each) => each.isLatest && isSame(each))) return "INTERVAL_OVERLAP";
      const sums = model.sums(owner, deliveryStartOf(start, this.#grid));
      if (sums.exportedWh + exported < sums.soldWh) return "EXPORT_BELOW_SOLD";
      return sums.importedWh + imported < sums.boughtWh ? "IMPORT_BELOW_BOUGHT" : undefined;
    }
    const { seller, start, energy } = defined(made.trade, "it is one of both");
    const ofSeller = model.sums(seller, start);
    if (ofSeller.soldWh + energy > ofSeller.exportedWh) return "DOUBLE_SPEND";
    const ofBuyer = model.sums(1 - seller, start);
    return ofBuyer.boughtWh + energy > ofBuyer.importedWh ? "OVER_PURCHASE" : undefined;
  }

  add({ parent, reading, trade }: Made): void {
    if (parent !== undefined) parent.isLatest = false;
    if (reading !== undefined) this.readings.push(reading);
    if (trade !== undefined) this.trades.push(trade);
  }

  #without(parent: Version): Model {
    const model = new Model(this.#grid);
    model.readings.push(...this.readings.filter((each) => each !== parent));
    model.trades.push(...this.trades.filter((each) => each !== parent));
    return model;
  }
}

type Made = {
  readonly record: ParsedRecord;
  readonly parent?: Version | undefined;
  readonly reading?: Reading;
  readonly trade?: Trade;
};

/** A ledger's state as bytes, and what its blocks did to it. */
class PackedLedger {
  readonly values = new Map<string, Uint8Array>();
  readonly policy: typeof genesisPolicy;
  readonly #setting: Setting;
  height = 0;
  digest = consortiumId;
  position = 0;

  constructor({ grid, intervalsS }: Setting) {
    this.#setting = { grid, intervalsS };
    this.policy = { ...genesisPolicy, ...grid };
    assert.equal(checkPolicy(this.policy), undefined);
    this.#write(genesisHead(genesis).stateWrites);
    this.#registerMeters();
  }

  meterOf(owner: number, meter: number): { readonly meterId: string; readonly intervalS: number } {
    const intervalS = defined(this.#setting.intervalsS[meter], "a participant has two meters");
    return { meterId: `packed-${owner}-${meter}`, intervalS };
  }

  begin(records: readonly ParsedRecord[]): BlockExecution {
    const keys = records.flatMap((record) =>
      readKeysOfSubmission({ participantId: record.ownerId, records: [record] }),
    );
    return this.#execution(keys);
  }

  end(execution: BlockExecution): void {
    this.#write(execution.writes());
    this.position += execution.recordCount;
  }

  tables(): StateTables {
    return new StateTables({ get: (key) => this.values.get(binaryText(key)) });
  }

  #registerMeters(): void {
    const operations = owners.flatMap((ownerId, owner) =>
      [0, 1].map((meter) => {
        const value = { ...this.meterOf(owner, meter), ownerId, ratedPowerW: 10n ** 9n };
        return create(ControlOperationSchema, { operation: { case: "registerMeter", value } });
      }),
    );
    const execution = this.#execution(operations.flatMap(readKeysOfOperation));
    for (const each of operations) assert.equal(execution.tryOperation(each), undefined);
    this.end(execution);
  }

  #execution(keys: readonly Uint8Array[]): BlockExecution {
    const texts = keys.map((each) => binaryText(each));
    this.height += 1;
    return new BlockExecution({
      state: new PrefetchedState(new Map(texts.map((text) => [text, this.values.get(text)]))),
      policy: this.policy,
      members: genesis.members,
      height: this.height,
      timestampMs: blockMs,
      firstPosition: this.position,
    });
  }

  #write(writes: readonly StateWrite[]): void {
    for (const { key, value } of writes) this.values.set(binaryText(key), value);
    this.digest = stateDigest(this.digest, writes);
  }
}

function make(ledger: PackedLedger, model: Model, next: Step): Made | undefined {
  const { deliveryIntervalS } = ledger.policy;
  const first = deliveryStartOf(startS - 450 * 86_400, ledger.policy);
  const parsed = (bytes: Uint8Array) => accepted(parseRecord(consortiumId, bytes, ledger.policy));
  const timeMs = blockMs;
  const isReading = next.kind === "reading" || next.kind === "reading-update";
  if (isReading) {
    const parent = next.kind === "reading" ? undefined : pickOf(model.readings, next.pick);
    if (next.kind === "reading-update" && parent === undefined) return undefined;
    const { meterId, intervalS } = ledger.meterOf(next.owner, next.meter);
    const place = parent ?? {
      owner: next.owner,
      meter: meterId,
      intervalS,
      start: first + next.interval * intervalS,
    };
    const { owner, meter, start } = place;
    // Updates are often below what was traded.
    const scale = parent === undefined ? 1 : 4;
    const imported = Math.floor(next.imported / scale);
    const exported = Math.floor(next.exported / scale);
    const record = parsed(
      readingBytes({
        owner: defined(owners[owner], "an owner"),
        meter,
        start,
        intervalS: place.intervalS,
        imported,
        exported,
        timeMs,
        ...(parent === undefined ? {} : { parent: parent.hash }),
      }),
    );
    const hash = record.hash;
    const version = { hash, isLatest: true, owner, meter, start };
    return {
      record,
      parent,
      reading: { ...version, intervalS: place.intervalS, imported, exported },
    };
  }
  const parent = next.kind === "trade" ? undefined : pickOf(model.trades, next.pick);
  if (next.kind === "trade-update" && parent === undefined) return undefined;
  const reading = pickOf(model.readings, next.pick);
  const near =
    reading === undefined
      ? first + next.interval * deliveryIntervalS
      : deliveryStartOf(reading.start, ledger.policy);
  const { seller, start } = parent ?? { seller: next.owner, start: near };
  const energy = (next.exported % 20) + 1;
  const record = parsed(
    tradeBytes({
      seller: defined(owners[seller], "an owner"),
      buyer: defined(owners[1 - seller], "the other one"),
      delivery: start,
      energy,
      timeMs,
      ...(parent === undefined ? {} : { parent: parent.hash }),
    }),
  );
  return { record, parent, trade: { hash: record.hash, isLatest: true, seller, start, energy } };
}

function pickOf<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(1, list.length)];
}

/** Nothing that the ledger holds is taken for absent because its interval is free. */
function assertFound(ledger: PackedLedger, placed: readonly ParsedRecord[]): void {
  for (const key of placed.flatMap(readKeys)) {
    if (!(key instanceof IntervalRecordKey)) continue;
    const taken = intervalsTaken(ledger.values.get(binaryText(key.windowKey)));
    assert.equal(key.isAbsentIn(defined(taken, "the window decodes")), false);
  }
}

/** Every interval that the model knows, in the bytes of the ledger. */
function assertSame(ledger: PackedLedger, model: Model): void {
  const tables = ledger.tables();
  for (const each of model.readings.filter(({ isLatest }) => isLatest)) {
    const { meter, start, intervalS, imported, exported, hash, owner } = each;
    const standing = tables.readings.get(meter, windowSlotOf(start, intervalS, ledger.policy));
    const position = tables.records.get(hash)?.position;
    assert.deepEqual(standing, { importedWh: imported, exportedWh: exported, position });
    const delivery = deliveryStartOf(start, ledger.policy);
    for (const at of [delivery, delivery + ledger.policy.deliveryIntervalS]) {
      const slot = deliverySlotOf(at, ledger.policy);
      const sums = energySums(tables, defined(owners[owner], "an owner"), slot);
      const expected = model.sums(owner, at);
      assert.deepEqual(
        [sums.importedWh, sums.exportedWh, sums.soldWh, sums.boughtWh],
        [expected.importedWh, expected.exportedWh, expected.soldWh, expected.boughtWh],
      );
    }
  }
}

test("blocks of readings, trades and updates leave what a map by interval would hold", () => {
  const verdicts = new Map<string, number>();
  const blocks = fc.array(fc.array(step, { minLength: 5, maxLength: 25 }), {
    minLength: 2,
    maxLength: 10,
  });
  fc.assert(
    fc.property(setting, blocks, (given, made) => {
      const [ledger, replayed] = [new PackedLedger(given), new PackedLedger(given)];
      const model = new Model(given.grid);
      const placed: ParsedRecord[] = [];
      for (const steps of made) {
        const all = steps.flatMap((next) => make(ledger, model, next) ?? []);
        const records = all.map(({ record }) => record);
        const execution = ledger.begin(records);
        const again = replayed.begin(records.toReversed());
        for (const each of all) {
          const expected = model.whyNot(each);
          const submission = { participantId: each.record.ownerId };
          const reason = execution.tryRecord(each.record, submission)?.reason;
          assert.equal(reason, expected);
          if (reason === undefined) {
            model.add(each);
            placed.push(each.record);
            assert.equal(again.tryRecord(each.record, submission), undefined);
          }
          const verdict = `${each.record.payload.kind} ${reason ?? "placed"}`;
          verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
        }
        ledger.end(execution);
        replayed.end(again);
        assertSame(ledger, model);
        assertFound(ledger, placed);
        assert.equal(toHex(replayed.digest), toHex(ledger.digest));
      }
    }),
    { numRuns: 80 },
  );
  for (const verdict of [
    "meterReading placed",
    "meterReading INTERVAL_OVERLAP",
    "meterReading PARENT_NOT_LATEST",
    "meterReading EXPORT_BELOW_SOLD",
    "energyTrade placed",
    "energyTrade DOUBLE_SPEND",
    "energyTrade OVER_PURCHASE",
    "energyTrade PARENT_NOT_LATEST",
  ]) {
    assert.ok((verdicts.get(verdict) ?? 0) > 0, `${verdict} was never tried`);
  }
});
