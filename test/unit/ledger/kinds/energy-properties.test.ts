/**
 * No double spending, whatever comes in whatever order. A model that knows nothing of the ledger's
 * state keeps lists of readings and trades and adds them up anew each time; the ledger must come to
 * the same verdicts, and never hold a sum that breaks the invariant.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../../../src/base/bytes.js";
import { energySums } from "../../../../src/ledger/kinds/energy.js";
import { deliverySlotOf } from "../../../../src/ledger/kinds/market-grid.js";
import type { StateReads } from "../../../../src/ledger/state/state-tables.js";
import { Chain } from "../support/chain.js";
import { hourS, participantIds, policy, quarterS, startS } from "../support/consortium.js";
import { hashOf, parsed, readingBytes, submitted, tradeBytes } from "../support/records.js";
import { Trial } from "../support/trial.js";

const hours = [0, 1] as const;
const quarters = 8;

type Reading = { key: string; owner: number; hour: number; imported: number; exported: number };
type Trade = { seller: number; buyer: number; hour: number; energy: number };
type Version = { readonly hash: Uint8Array; isLatest: boolean };
type ReadingVersion = Version & { readonly reading: Reading };
type TradeVersion = Version & { readonly trade: Trade };

class Model {
  readonly readings: ReadingVersion[] = [];
  readonly trades: TradeVersion[] = [];

  sum(owner: number, hour: number, without: Version | undefined) {
    const sums = { imported: 0, exported: 0, sold: 0, bought: 0 };
    for (const version of this.readings) {
      const { reading } = version;
      if (!version.isLatest || version === without) continue;
      if (reading.owner !== owner || reading.hour !== hour) continue;
      sums.imported += reading.imported;
      sums.exported += reading.exported;
    }
    for (const version of this.trades) {
      if (!version.isLatest || version === without || version.trade.hour !== hour) continue;
      if (version.trade.seller === owner) sums.sold += version.trade.energy;
      if (version.trade.buyer === owner) sums.bought += version.trade.energy;
    }
    return sums;
  }

  reasonAgainstReading(reading: Reading, parent: ReadingVersion | undefined): string | undefined {
    if (parent !== undefined && !parent.isLatest) return "PARENT_NOT_LATEST";
    const isTaken = this.readings.some((each) => each.isLatest && each.reading.key === reading.key);
    if (isTaken && parent === undefined) return "INTERVAL_OVERLAP";
    const { imported, exported, sold, bought } = this.sum(reading.owner, reading.hour, parent);
    if (exported + reading.exported < sold) return "EXPORT_BELOW_SOLD";
    if (imported + reading.imported < bought) return "IMPORT_BELOW_BOUGHT";
    return undefined;
  }

  reasonAgainstTrade(trade: Trade, parent: TradeVersion | undefined): string | undefined {
    if (parent !== undefined && !parent.isLatest) return "PARENT_NOT_LATEST";
    const seller = this.sum(trade.seller, trade.hour, parent);
    if (seller.sold + trade.energy > seller.exported) return "DOUBLE_SPEND";
    const buyer = this.sum(trade.buyer, trade.hour, parent);
    if (buyer.bought + trade.energy > buyer.imported) return "OVER_PURCHASE";
    return undefined;
  }
}

type Step =
  | { kind: "reading"; owner: number; quarter: number; imported: number; exported: number }
  | { kind: "reading-update"; pick: number; imported: number; exported: number }
  | { kind: "trade"; seller: number; away: number; hour: number; energy: number }
  | { kind: "trade-update"; pick: number; energy: number };

const owner = fc.nat(participantIds.length - 1);
const measured = fc.nat(40);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("reading" as const),
    owner,
    quarter: fc.nat(quarters - 1),
    imported: measured,
    exported: measured,
  }),
  fc.record({
    kind: fc.constant("reading-update" as const),
    pick: fc.nat(),
    imported: measured,
    exported: measured,
  }),
  fc.record({
    kind: fc.constant("trade" as const),
    seller: owner,
    away: fc.integer({ min: 1, max: 3 }),
    hour: fc.constantFrom(...hours),
    energy: fc.integer({ min: 1, max: 30 }),
  }),
  fc.record({
    kind: fc.constant("trade-update" as const),
    pick: fc.nat(),
    energy: fc.integer({ min: 1, max: 30 }),
  }),
);

const participant = (index: number) => `participant-${index + 1}`;

function readingOf(reading: Reading, quarter: number, parent?: Uint8Array): Uint8Array {
  return readingBytes({
    owner: participant(reading.owner),
    meter: `meter-${reading.owner + 1}`,
    start: startS + quarter * quarterS,
    imported: reading.imported,
    exported: reading.exported,
    ...(parent === undefined ? {} : { parent }),
  });
}

function tradeOf(trade: Trade, parent?: Uint8Array): Uint8Array {
  return tradeBytes({
    seller: participant(trade.seller),
    buyer: participant(trade.buyer),
    delivery: startS + trade.hour * hourS,
    energy: trade.energy,
    ...(parent === undefined ? {} : { parent }),
  });
}

/**
 * Turns a step into a record; runs `judge` on it, and takes it into the model when it is placed.
 */
function take(
  model: Model,
  next: Step,
  judge: (bytes: Uint8Array, expected?: string) => boolean,
): void {
  if (next.kind === "reading" || next.kind === "reading-update") {
    const parent = next.kind === "reading" ? undefined : pickOf(model.readings, next.pick);
    if (next.kind === "reading-update" && parent === undefined) return;
    const of = parent?.reading.owner ?? (next.kind === "reading" ? next.owner : 0);
    const quarter =
      next.kind === "reading" ? next.quarter : Number(parent?.reading.key.split(" ")[1]);
    const { imported, exported } = next;
    const hour = Math.floor(quarter / 4);
    const reading = { key: `${of} ${quarter}`, owner: of, hour, imported, exported };
    const bytes = readingOf(reading, quarter, parent?.hash);
    if (!judge(bytes, model.reasonAgainstReading(reading, parent))) return;
    if (parent !== undefined) parent.isLatest = false;
    model.readings.push({ hash: hashOf(bytes), isLatest: true, reading });
    return;
  }
  const parent = next.kind === "trade" ? undefined : pickOf(model.trades, next.pick);
  if (next.kind === "trade-update" && parent === undefined) return;
  const trade =
    next.kind === "trade"
      ? {
          seller: next.seller,
          buyer: (next.seller + next.away) % participantIds.length,
          hour: next.hour,
          energy: next.energy,
        }
      : { ...(parent as TradeVersion).trade, energy: next.energy };
  const bytes = tradeOf(trade, parent?.hash);
  if (!judge(bytes, model.reasonAgainstTrade(trade, parent))) return;
  if (parent !== undefined) parent.isLatest = false;
  model.trades.push({ hash: hashOf(bytes), isLatest: true, trade });
}

function pickOf<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(1, list.length)];
}

function assertSums(state: StateReads, model: Model): void {
  for (const index of participantIds.keys()) {
    for (const hour of hours) {
      const sums = energySums(
        state,
        participant(index),
        deliverySlotOf(startS + hour * hourS, policy),
      );
      const { imported, exported, sold, bought } = model.sum(index, hour, undefined);
      assert.deepEqual(
        [sums.importedWh, sums.exportedWh, sums.soldWh, sums.boughtWh],
        [imported, exported, sold, bought],
      );
      assert.ok(sold <= exported && bought <= imported);
    }
  }
}

describe("readings, trades and their updates in any order", () => {
  test("are judged as the model judges them, and no sum ever breaks the invariant", () => {
    const verdicts = new Map<string, number>();
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 120 }), (steps) => {
        const trial = new Trial();
        const model = new Model();
        for (const next of steps) {
          take(model, next, (bytes, expected) => {
            const reason = trial.try(bytes)?.reason;
            assert.equal(reason, expected);
            const verdict = `${next.kind} ${reason ?? "placed"}`;
            verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
            return reason === undefined;
          });
          assertSums(trial.execution.tables, model);
        }
      }),
      { numRuns: 60 },
    );
    for (const verdict of [
      "reading placed",
      "reading INTERVAL_OVERLAP",
      "reading-update placed",
      "reading-update PARENT_NOT_LATEST",
      "trade placed",
      "trade DOUBLE_SPEND",
      "trade OVER_PURCHASE",
      "trade-update placed",
    ]) {
      assert.ok((verdicts.get(verdict) ?? 0) > 0, `${verdict} was never tried`);
    }
  });
});

/**
 * Records that are placed one after another when they come in the order in which they were made.
 */
function records(steps: readonly Step[]): readonly Uint8Array[] {
  const made: Uint8Array[] = [];
  const model = new Model();
  for (const next of steps) {
    take(model, next, (bytes, expected) => {
      // Some of the wrong ones go in too: a block leaves them out.
      if (expected === undefined || made.length % 3 === 0) made.push(bytes);
      return expected === undefined;
    });
  }
  return made;
}

const batches = fc
  .array(step, { minLength: 5, maxLength: 40 })
  .map(records)
  .chain((made) => fc.shuffledSubarray([...made], { minLength: made.length }))
  .chain((shuffled) =>
    fc.record({ shuffled: fc.constant(shuffled), size: fc.integer({ min: 1, max: 7 }) }),
  )
  .map(({ shuffled, size }) => {
    const submissions = [];
    for (const id of participantIds) {
      const own = shuffled.filter((bytes) => parsed(bytes).ownerId === id);
      const submitter = id === "participant-1" || id === "participant-2" ? "head-end" : id;
      for (let i = 0; i < own.length; i += size) {
        submissions.push(submitted(own.slice(i, i + size), submitter));
      }
    }
    return submissions;
  });

describe("blocks of records in any order", () => {
  test("are accepted as they are built, keep the invariant, and replay to the same digest", () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: 3, max: 50 }), (submissions, blockRecordsMax) => {
        const limited = { ...policy, blockRecordsMax };
        const chain = new Chain(limited);
        const blocks = [];
        for (let i = 0; i < 4; i++) {
          const built = chain.propose({ candidates: submissions, createdRound: i });
          const valid = chain.judge(built.block);
          assert.ok(valid.ok, valid.ok ? "" : JSON.stringify(valid.error));
          assert.deepEqual(valid.value.executed, built.executed);
          assert.ok(built.block.records.length <= blockRecordsMax);
          chain.append(built.executed);
          blocks.push(built.block);
        }
        assertCovered(chain.tables());
        const replayed = new Chain(limited);
        for (const block of blocks) {
          const valid = replayed.judge(block);
          assert.ok(valid.ok);
          replayed.append(valid.value.executed);
        }
        assert.equal(toHex(replayed.head.stateDigest), toHex(chain.head.stateDigest));
        assert.equal(toHex(replayed.head.blockId), toHex(chain.head.blockId));
      }),
      { numRuns: 15 },
    );
  });
});

function assertCovered(state: StateReads): void {
  for (const id of participantIds) {
    for (const hour of hours) {
      const sums = energySums(state, id, deliverySlotOf(startS + hour * hourS, policy));
      assert.ok(sums.soldWh <= sums.exportedWh && sums.boughtWh <= sums.importedWh);
    }
  }
}
