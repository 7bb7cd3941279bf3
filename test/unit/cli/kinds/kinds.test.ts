import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { toHex } from "../../../../src/base/bytes.js";
import type { RowContext } from "../../../../src/cli/kinds/kind.js";
import { allCliKinds, cliKinds } from "../../../../src/cli/kinds/kinds.js";
import { RegisteredMeters } from "../../../../src/cli/sending/registered-meters.js";
import { RowProblem } from "../../../../src/cli/sending/row-problem.js";
import { Cells } from "../../../../src/cli/submit/input/cell-values.js";
import { signTrade, tradeTerms } from "../../../../src/client/submit/records.js";
import { ControlOperationSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { RecordSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import type { KindName } from "../../../../src/ledger/kinds/kind.js";

const nowMs = Date.UTC(2026, 10, 28);
const startS = 1_793_491_200;
const consortiumId = new Uint8Array(32).fill(1);
const seeds = new Map([
  ["home-1", new Uint8Array(32).fill(0x11)],
  ["home-2", new Uint8Array(32).fill(0x22)],
]);
const seedOf = (id: string) => seeds.get(id) ?? new Uint8Array(32);

const registered = {
  case: "registerMeter" as const,
  value: { ownerId: "home-1", meterId: "meter-1", intervalS: 900, ratedPowerW: 10_000n },
};
const genesis = [create(ControlOperationSchema, { operation: registered })];
const meters = new RegisteredMeters(genesis, []);
const context: RowContext = {
  consortiumId,
  meters,
  submitterId: "home-1",
  signingSeeds: seeds,
  nowMs,
};

const cellsOf = (fields: Readonly<Record<string, string>>) => {
  const sources = Object.entries(fields).map(
    ([field, text]) => [field, [{ column: `C ${field}`, text }]] as const,
  );
  return new Cells(new Map(sources), { nowMs }, []);
};

const rowsOf = (kind: KindName) => defined(cliKinds[kind].rows, "its files have rows");

const build = (kind: KindName, fields: Readonly<Record<string, string>>) =>
  fromBinary(RecordSchema, rowsOf(kind).build(cellsOf(fields), context));

const problem = (kind: KindName, fields: Readonly<Record<string, string>>) => {
  try {
    build(kind, fields);
  } catch (error) {
    assert.ok(error instanceof RowProblem, String(error));
    return `${error.column}: ${error.message}`;
  }
  return assert.fail("it became a record");
};

describe("a row of readings", () => {
  const reading = { meter: "meter-1", imported_wh: "1", exported_wh: "0" };
  const iso = (unixS: number) => new Date(unixS * 1000).toISOString();

  const startOf = (fields: Readonly<Record<string, string>>) => {
    const { payload } = build("meterReading", { ...reading, ...fields });
    assert.ok(payload.case === "meterReading");
    return [Number(payload.value.intervalStartUnixS), payload.value.intervalS];
  };

  test("is of the interval that starts at its start, or ends at its end", () => {
    assert.deepEqual(startOf({ start: iso(startS) }), [startS, 900]);
    assert.deepEqual(startOf({ end: iso(startS + 900) }), [startS, 900]);
    assert.deepEqual(startOf({ end: iso(startS + 300), interval_s: "300" }), [startS, 300]);
    assert.deepEqual(startOf({ start: iso(startS), end: iso(startS + 900) }), [startS, 900]);
    assert.deepEqual(startOf({ start: iso(startS), end: "" }), [startS, 900]);
  });

  test("whose end does not fit its start is a problem of the column of the end", () => {
    const fields = { ...reading, start: iso(startS), end: iso(startS + 899) };
    assert.match(problem("meterReading", fields), /^C end: is not 900 s after the start.*=start"$/);
    assert.match(problem("meterReading", { ...reading, end: "" }), /^C end: is empty/);
  });

  test("of a meter that genesis does not register needs its interval, and says so", () => {
    const fields = { ...reading, meter: "meter-9", start: iso(startS) };
    assert.match(
      problem("meterReading", fields),
      /^interval_s: genesis registers no meter meter-9,/,
    );
    assert.deepEqual(startOf({ ...fields, interval_s: "900" }), [startS, 900]);
  });

  test("with an empty cell where the owner should be is not the submitter's", () => {
    const fields = { ...reading, start: iso(startS), owner: "" };
    assert.match(problem("meterReading", fields), /^C owner: is empty/);
    assert.equal(build("meterReading", { ...reading, start: iso(startS) }).ownerId, "home-1");
  });

  test("cannot be made anew: all of it is the row's", () => {
    assert.equal("rebuild" in rowsOf("meterReading"), false);
    assert.equal("rebuild" in rowsOf("chargingSession"), false);
  });
});

describe("a row of a trade", () => {
  const trade = {
    buyer: "home-2",
    start: String(startS),
    energy_wh: "400",
    price_per_kwh: "0.11",
  };
  const terms = tradeTerms({
    sellerId: "home-1",
    buyerId: "home-2",
    deliveryStartS: startS,
    energyWh: 400,
    priceMicroPerKwh: 110_000,
  });

  test("may say beside signed terms only what these say", () => {
    const signed = { terms: toHex(terms) };
    assert.equal(build("energyTrade", { ...signed, ...trade }).ownerId, "home-1");
    for (const [field, text] of [
      ["seller", "home-2"],
      ["buyer", "home-3"],
      ["start", String(startS + 3600)],
      ["energy_wh", "401"],
      ["price_per_kwh", "0.12"],
      ["trade_id", "00".repeat(16)],
    ] as const) {
      const message = problem("energyTrade", { ...signed, [field]: text });
      assert.equal(message, `C ${field}: says something else than the signed terms`);
    }
  });

  test("made anew has the same terms, today's time and the keys at hand", () => {
    const wrong = new Map([...seeds, ["home-2", new Uint8Array(32).fill(0x33)]]);
    const cells = cellsOf(trade);
    const before = { ...context, signingSeeds: wrong, nowMs: nowMs + 86_400_000 };
    const first = rowsOf("energyTrade").build(cells, before);
    const anew = rowsOf("energyTrade").rebuild?.(first, cells, context);
    assert.ok(anew !== undefined);
    const [old, made] = [first, anew].map((bytes) => fromBinary(RecordSchema, bytes));
    assert.ok(old?.payload.case === "energyTrade" && made?.payload.case === "energyTrade");
    assert.deepEqual(made.payload.value.terms, old.payload.value.terms);
    assert.equal(made.timeUnixMs, BigInt(nowMs));
    const signature = signTrade(consortiumId, made.payload.value.terms, seedOf("home-2"));
    assert.deepEqual(made.payload.value.buyerSignature, signature);
    assert.notDeepEqual(old.payload.value.buyerSignature, signature);
  });
});

describe("what a kind says of its rows", () => {
  for (const [name, { rows }] of Object.entries(cliKinds)) {
    if (rows === undefined) continue;
    test(`names only fields of ${name}`, () => {
      const { columns, times, alternatives, summable, ambiguous, required } = rows;
      const named = [
        times,
        alternatives.flat(),
        summable,
        ambiguous.fields,
        required.flat(),
      ].flat();
      for (const field of named) assert.ok(field in columns, field);
    });
  }

  test("is told in names that no other kind has", () => {
    for (const names of [
      allCliKinds.map(({ inputName }) => inputName),
      allCliKinds.map(({ noun }) => noun),
    ]) {
      assert.equal(new Set(names).size, names.length);
    }
  });
});
