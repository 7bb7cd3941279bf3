import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { toHex, utf8 } from "../../../src/base/bytes.js";
import {
  energyTrade,
  loadProfile,
  meterReading,
  recordHash,
  tradeTerms,
} from "../../../src/client/index.js";
import { RecordSchema } from "../../../src/gen/bss/v1/record_pb.js";
import { type ListedRecord, StandingRecords } from "../../../src/settlement/standing-records.js";
import {
  type Amounts,
  amountNames,
  periodProblem,
  recordsDigest,
  type Statement,
  statementOf,
  tariffTerms,
} from "../../../src/settlement/statement.js";
import { parseTariff, type Tariff } from "../../../src/settlement/tariff.js";

const market = { deliveryIntervalS: 3600, deliveryOffsetS: 0, currency: "EUR" };
const consortiumId = new Uint8Array(32);
/** In Berlin, clocks go forward on the second day. */
const fromS = Date.UTC(2026, 2, 27, 23) / 1000;
const hour = (i: number) => fromS + i * 3600;
const daysS = 3 * 86_400 - 3600;
const period = { fromS, toS: fromS + daysS };

function tariffOf(changes: object = {}): Tariff {
  const base = {
    currency: "EUR",
    minor_unit_digits: 2,
    zone: "Europe/Berlin",
    from_grid: { kind: "flat", price: "0.30" },
    to_grid: { kind: "flat", price: "0.08" },
  };
  const tariff = parseTariff(utf8(JSON.stringify({ ...base, ...changes })));
  assert.ok(tariff.ok);
  return tariff.value;
}

/** Records in the order of the log. */
const listed = (records: readonly Uint8Array[]): readonly ListedRecord[] =>
  records.map((bytes, position) => ({
    position,
    hash: recordHash(consortiumId, bytes),
    record: fromBinary(RecordSchema, bytes),
  }));

function settle(
  participantId: string,
  records: readonly ListedRecord[],
  options: { tariff?: Tariff; treeSize?: number; period?: typeof period } = {},
) {
  const { tariff = tariffOf(), treeSize = records.length, period: of = period } = options;
  const standing = new StandingRecords({ ...of, participantId, treeSize, grid: market });
  for (const record of records) standing.add(record);
  return statementOf(standing.standing(), tariff, of, market);
}

function settled(...given: Parameters<typeof settle>): Statement {
  const made = settle(...given);
  assert.ok(made.ok, made.ok ? "" : made.error.message);
  return made.value;
}

const reading = (
  ownerId: string,
  i: number,
  importedWh: number,
  exportedWh: number,
  parent?: Uint8Array,
) =>
  meterReading({
    ownerId,
    meterId: `m-${ownerId}`,
    intervalStartS: hour(i),
    intervalS: 3600,
    importedWh,
    exportedWh,
    ...(parent === undefined ? {} : { parent: recordHash(consortiumId, parent) }),
  });

const trade = (
  sellerId: string,
  buyerId: string,
  i: number,
  energyWh: number,
  priceMicroPerKwh: number,
  parent?: Uint8Array,
) =>
  energyTrade({
    ownerId: sellerId,
    terms: tradeTerms({ sellerId, buyerId, deliveryStartS: hour(i), energyWh, priceMicroPerKwh }),
    sellerSignature: new Uint8Array(64),
    buyerSignature: new Uint8Array(64),
    timeMs: hour(i) * 1000,
    ...(parent === undefined ? {} : { parent: recordHash(consortiumId, parent) }),
  });

describe("a statement", () => {
  const day = loadProfile({
    ownerId: "a",
    meterId: "m-a",
    startS: hour(0),
    intervalS: 900,
    values: Array.from({ length: 96 }, (_, i) =>
      i === 1 ? undefined : { importedWh: 100, exportedWh: i < 4 ? 50 : 0, quality: "measured" },
    ),
  });
  const later = reading("a", 24, 1_000, 0);
  const bytes = [
    day,
    reading("b", 0, 100, 0),
    trade("a", "b", 0, 100, 200_000),
    later,
    reading("a", -1, 9_999, 9_999),
    reading("a", 71, 9_999, 9_999),
  ];
  const records = listed(bytes);

  test("has a line for each local day, whatever its length, and what lies within the period", () => {
    const { days, total } = settled("a", records);
    assert.deepEqual(
      days.map(({ startS }) => (startS - fromS) / 3600),
      [0, 24, 47],
    );
    assert.deepEqual(
      days.map(({ importedWh, exportedWh, soldWh }) => [importedWh, exportedWh, soldWh]),
      [
        [9_500, 150, 100],
        [1_000, 0, 0],
        [0, 0, 0],
      ],
    );
    // 9.5 kWh at 0.30, 0.05 kWh at 0.08 (0.4 cents), 0.1 kWh at 0.20; 1 kWh at 0.30.
    const [first] = days;
    assert.deepEqual(
      [first?.fromGridCost, first?.toGridCredit, first?.soldCredit, first?.due, total.due],
      [285, 0, 2, 283, 313],
    );
    assert.deepEqual(first?.records, [records[0], records[2]].map(hex).toSorted());
  });

  test("takes from the grid what the trades leave, interval by interval", () => {
    const { total } = settled("b", records);
    assert.deepEqual(
      [total.boughtWh, total.fromGridWh, total.boughtCost, total.due],
      [100, 0, 2, 2],
    );
  });

  test("counts the version that stands at its height, in whatever order records come", () => {
    const first = reading("a", 30, 500, 0);
    const second = reading("a", 30, 700, 0, first);
    const third = reading("a", 30, 800, 0, second);
    const versions = listed([first, second, third]);
    for (const [treeSize, importedWh] of [500, 700, 800].map((wh, i) => [i + 1, wh] as const)) {
      for (const order of [versions, versions.toReversed()]) {
        assert.equal(settled("a", order, { treeSize }).total.importedWh, importedWh);
      }
    }
    assert.equal(settled("a", versions, { treeSize: 0 }).total.importedWh, 0);
  });

  test("of which one day is corrected changes in this day and the total alone", () => {
    const corrected = listed([...bytes, reading("a", 24, 1_010, 0, later)]);
    const [before, after] = [settled("a", records), settled("a", corrected)];
    const changed = before.days.map((line, i) => {
      const other = after.days[i] ?? assert.fail();
      const same = amountNames.every((name) => line[name] === other[name]);
      const sameRecords = toHex(recordsDigest(line)) === toHex(recordsDigest(other));
      return [!same, !sameRecords];
    });
    assert.deepEqual(changed, [
      [false, false],
      [true, true],
      [false, false],
    ]);
    assert.deepEqual(settled("b", corrected), settled("b", records));
  });

  test("says how many delivery intervals no record is about", () => {
    const records = listed([reading("a", 0, 5, 0), reading("a", 30, 0, 0), reading("b", 1, 5, 0)]);
    const { intervals, withoutValue } = settled("a", records);
    assert.deepEqual([intervals, withoutValue], [71, 69]);
  });

  test("is none when trades come without what was metered, or a price is missing", () => {
    const without = settle(
      "b",
      records.filter((_, i) => i !== 1),
    );
    assert.equal(without.ok ? "" : without.error.of, "records");
    const prices = { kind: "series", start: "2026-03-27T23:00:00Z", interval_s: 3600, prices: [1] };
    const noPrice = settle("a", records, { tariff: tariffOf({ from_grid: prices }) });
    assert.match(
      noPrice.ok ? "" : `${noPrice.error.of}: ${noPrice.error.message}`,
      /^tariff: from_grid has no price for the interval from 2026-03-28T00:00:00Z/,
    );
    const dollars = settle("a", records, { tariff: tariffOf({ currency: "USD" }) });
    assert.match(dollars.ok ? "" : dollars.error.message, /in USD, .* currency is EUR/);
    const huge = reading("a", 0, Number.MAX_SAFE_INTEGER, 0);
    const tooMuch = settle("a", listed([huge, reading("a", 1, 1, 0)]));
    assert.equal(tooMuch.ok ? "" : tooMuch.error.of, "size");
  });

  test("charges and credits negative prices the other way round", () => {
    const tariff = tariffOf({
      from_grid: { kind: "flat", price: "-0.999" },
      to_grid: { kind: "flat", price: "-0.5" },
    });
    const { total } = settled("a", listed([reading("a", 0, 1_000, 100)]), { tariff });
    assert.deepEqual([total.fromGridCost, total.toGridCredit, total.due], [-100, -5, -95]);
  });

  const hex = (record: ListedRecord | undefined) => toHex(record?.hash ?? assert.fail());
});

describe("a load profile", () => {
  const quarterS = 900;
  const values = fc.array(
    fc.option(fc.tuple(fc.nat(3_000), fc.nat(3_000)), { freq: 3, nil: undefined }),
    { minLength: 1, maxLength: 40 },
  );

  test("counts as its values would as readings, wherever the period begins and ends", () => {
    const places = fc.tuple(
      fc.integer({ min: -20, max: 20 }),
      fc.nat(6),
      fc.integer({ min: 1, max: 8 }),
    );
    fc.assert(
      fc.property(values, places, (wh, [first, from, hours]) => {
        const startS = fromS + first * quarterS;
        const of = { fromS: hour(from), toS: hour(from + hours) };
        const given = wh.map(
          (each) =>
            each && { importedWh: each[0], exportedWh: each[1], quality: "measured" as const },
        );
        const meter = { ownerId: "a", meterId: "m-a", intervalS: quarterS };
        const profile = loadProfile({ ...meter, startS, values: given });
        const readings = given.flatMap((value, i) =>
          value === undefined
            ? []
            : [meterReading({ ...meter, ...value, intervalStartS: startS + i * quarterS })],
        );
        const plain = (records: readonly Uint8Array[]) =>
          settled("a", listed(records), { period: of }).days.map((day) => ({
            ...day,
            records: day.records.length > 0,
          }));
        assert.deepEqual(plain([profile]), plain(readings));
      }),
      { numRuns: 100 },
    );
  });

  test("is counted with all its intervals, absent ones too", () => {
    const standing = new StandingRecords({
      ...period,
      participantId: "a",
      treeSize: 9,
      grid: market,
    });
    const absent = Array<undefined>(200).fill(undefined);
    const one = { importedWh: 1, exportedWh: 1, quality: "measured" as const };
    const meter = { ownerId: "a", meterId: "m-a", intervalS: quarterS, startS: fromS };
    const [first] = listed([loadProfile({ ...meter, values: [...absent, one] })]);
    standing.add(first ?? assert.fail());
    assert.equal(standing.intervals, 201);
    assert.equal(standing.standing().length, 1);
  });
});

test("a period is one of whole delivery intervals, and a year at most", () => {
  const problems = [
    { fromS, toS: fromS + 1 },
    { fromS: fromS + 900, toS: hour(3) },
    { fromS, toS: fromS },
    { fromS, toS: fromS + 367 * 86_400 },
    { fromS, toS: fromS + 366 * 86_400 },
  ].map((each) => periodProblem(each, market)?.at);
  assert.deepEqual(problems, ["to", "from", "to", "to", undefined]);
  const minutes = { deliveryIntervalS: 60, deliveryOffsetS: 0 };
  const long = periodProblem({ fromS, toS: fromS + 110_001 * 60 }, minutes);
  assert.match(long?.why ?? "", /at most 110000 delivery intervals/);
  assert.equal(periodProblem({ fromS, toS: fromS + 110_000 * 60 }, minutes), undefined);
});

describe("for any readings and trades", () => {
  const ids = ["a", "b", "c"] as const;
  const hoursMax = 71;
  const meters = fc.array(
    fc.record({
      id: fc.constantFrom(...ids),
      i: fc.nat(hoursMax - 1),
      imported: fc.nat(5_000),
      exported: fc.nat(5_000),
    }),
    { maxLength: 30 },
  );
  const deals = fc.array(
    fc.record({
      pair: fc.constantFrom(["a", "b"], ["b", "c"], ["c", "a"]),
      i: fc.nat(hoursMax - 1),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
      price: fc.integer({ min: -500, max: 900 }),
    }),
    { maxLength: 30 },
  );

  /** Trades of what is metered and not sold or bought yet. */
  function historyOf(
    readings: readonly { id: string; i: number; imported: number; exported: number }[],
    trades: readonly { pair: readonly string[]; i: number; part: number; price: number }[],
  ): readonly ListedRecord[] {
    const left = new Map<string, number>();
    const addTo = (key: string, wh: number) => left.set(key, (left.get(key) ?? 0) + wh);
    const records = readings.map(({ id, i, imported, exported }) => {
      addTo(`${id} in ${i}`, imported);
      addTo(`${id} out ${i}`, exported);
      return reading(id, i, imported, exported);
    });
    for (const { pair, i, part, price } of trades) {
      const [seller = "", buyer = ""] = pair;
      const most = Math.min(left.get(`${seller} out ${i}`) ?? 0, left.get(`${buyer} in ${i}`) ?? 0);
      const energyWh = Math.floor(most * part);
      if (energyWh === 0) continue;
      addTo(`${seller} out ${i}`, -energyWh);
      addTo(`${buyer} in ${i}`, -energyWh);
      records.push(trade(seller, buyer, i, energyWh, 1_000 * price));
    }
    return listed(records);
  }

  test("what is sold is bought, for the same money, and energy is conserved", () => {
    // Wh at thousandths per kWh are whole millionths: nothing is rounded.
    const tariff = tariffOf({ minor_unit_digits: 6 });
    fc.assert(
      fc.property(meters, deals, (readings, trades) => {
        const history = historyOf(readings, trades);
        const totals = ids.map((id) => settled(id, history, { tariff }).total);
        const sum = (name: keyof Amounts) => totals.reduce((all, each) => all + each[name], 0);
        assert.equal(sum("soldWh"), sum("boughtWh"));
        assert.equal(sum("soldCredit"), sum("boughtCost"));
        assert.equal(sum("importedWh") - sum("exportedWh"), sum("fromGridWh") - sum("toGridWh"));
        const metered = readings.reduce((all, each) => all + each.imported, 0);
        assert.equal(sum("importedWh"), metered);
        assert.equal(sum("due"), sum("fromGridCost") - sum("toGridCredit"));
      }),
      { numRuns: 60 },
    );
  });

  test("two periods add up to the one that they make", () => {
    fc.assert(
      fc.property(meters, deals, fc.constantFrom(24, 47), (readings, trades, cut) => {
        const history = historyOf(readings, trades);
        for (const id of ids) {
          const whole = settled(id, history);
          const halves = [
            settled(id, history, { period: { fromS, toS: hour(cut) } }),
            settled(id, history, { period: { fromS: hour(cut), toS: period.toS } }),
          ];
          assert.deepEqual(
            halves.flatMap(({ days }) => days),
            whole.days,
          );
          for (const name of amountNames) {
            const added = halves.reduce((sum, { total }) => sum + total[name], 0);
            assert.equal(added, whole.total[name]);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

test("a tariff is for a market of its currency, whose intervals its series does not cut", () => {
  const series = {
    kind: "series",
    start: "2026-03-27T23:30:00Z",
    interval_s: 3600,
    prices: ["0.1", "0.2"],
  };
  for (const [changes, problem] of [
    [{}, undefined],
    [{ currency: "USD" }, /^it is in USD, and the market's currency is EUR$/],
    [{ from_grid: series }, /^from_grid: /],
    [{ to_grid: series }, /^to_grid: /],
  ] as const) {
    const terms = tariffTerms(tariffOf(changes), market);
    assert.equal(terms.ok, problem === undefined);
    if (!terms.ok && problem !== undefined) assert.match(terms.error, problem);
  }
});
