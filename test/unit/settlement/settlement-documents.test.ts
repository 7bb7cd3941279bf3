import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { utf8 } from "../../../src/base/bytes.js";
import { DocumentSchema } from "../../../src/gen/bss/v1/record_pb.js";
import { dayDifferences, frameDifferences } from "../../../src/settlement/differences.js";
import {
  canonicalJson,
  confirmationMediaType,
  isSettlementFor,
  isStatement,
  parseStatement,
  statementDocument,
  statementMediaType,
} from "../../../src/settlement/settlement-documents.js";
import type { Statement } from "../../../src/settlement/statement.js";
import { tariffMediaType } from "../../../src/settlement/tariff.js";

const amounts = {
  importedWh: 1_000,
  exportedWh: 0,
  boughtWh: 200,
  soldWh: 0,
  fromGridWh: 800,
  toGridWh: 0,
  fromGridCost: 24,
  boughtCost: 4,
  toGridCredit: 0,
  soldCredit: 0,
  due: 28,
};
const records = ["aa", "bb"].map((two) => two.repeat(32));
const statement: Parameters<typeof statementDocument>[1] = {
  currency: "EUR",
  digits: 2,
  days: [
    { ...amounts, startS: 0, records },
    { ...amounts, startS: 86_400, records: [] },
  ],
  total: amounts,
};
const frame = {
  participant: "home-1",
  counterparty: "utility",
  consortium_id: "11".repeat(32),
  from_unix_s: 0,
  to_unix_s: 172_800,
  tariff: "22".repeat(32),
  height: 7,
  block_id: "33".repeat(32),
  root: "44".repeat(32),
  tree_size: 9,
};
const stated = statementDocument(frame, statement, { named: true });
const documentOf = (mediaType: string, content: Uint8Array) =>
  create(DocumentSchema, { mediaType, name: "", content });

describe("a statement on the ledger", () => {
  const bytes = canonicalJson(stated);

  test("comes back as it was, from bytes that are canonical", () => {
    assert.deepEqual(parseStatement(documentOf(statementMediaType, bytes)), {
      ok: true,
      value: stated,
    });
    const text = new TextDecoder().decode(bytes);
    assert.match(text, /^\{"block_id":"33.*,"consortium_id":.*"version":1\}$/);
    const shuffled = Object.fromEntries(Object.entries(stated).toReversed()) as typeof stated;
    assert.deepEqual(canonicalJson(shuffled), bytes);
  });

  test("is only what was computed, byte for byte, with or without its records' names", () => {
    const short = statementDocument(frame, statement, { named: false });
    assert.ok(isStatement(bytes, stated) && isStatement(canonicalJson(short), stated));
    const text = new TextDecoder().decode(bytes);
    const [day, next] = stated.days;
    assert.ok(day !== undefined && next !== undefined);
    const twice = { ...stated, days: [{ ...day, due: 9_999 }, day, next] };
    // Neither the days nor the frame show any of these.
    assert.deepEqual(dayDifferences(twice, stated), []);
    for (const other of [
      canonicalJson(twice),
      canonicalJson({ ...stated, days: [next, day] }),
      canonicalJson({ ...stated, days: [{ ...day, records: [] }, next] }),
      utf8(text.replace('"total":{', '"total":{"due":9999,')),
      utf8(`${text} `),
    ]) {
      assert.ok(parseStatement(documentOf(statementMediaType, other)).ok);
      assert.ok(!isStatement(other, stated));
    }
  });

  test("names its records by their first digits, or only counts them", () => {
    const [first] = stated.days;
    assert.deepEqual(first?.records, ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"]);
    const short = statementDocument(frame, statement, { named: false });
    assert.equal(short.days[0]?.records, undefined);
    assert.deepEqual(dayDifferences(stated, short), []);
  });

  test("is refused in another form, with the place", () => {
    const { total, ...rest } = stated;
    for (const [mediaType, content, said] of [
      ["text/plain", stated, /media type is text\/plain/],
      [statementMediaType, rest, /^total: /],
      [statementMediaType, { ...stated, total: { ...total, due: 0.5 } }, /^total\.due: /],
      [statementMediaType, { ...stated, rounding: "up" }, /^rounding: /],
    ] as const) {
      const parsed = parseStatement(documentOf(mediaType, utf8(JSON.stringify(content))));
      assert.match(parsed.ok ? "" : parsed.error, said);
    }
  });

  test("is for those whom it names, and a tariff for everybody", () => {
    const confirmation = canonicalJson({
      version: 1,
      statement: "55".repeat(32),
      participant: "home-1",
      counterparty: "utility",
      confirmed_by: "utility",
    });
    for (const document of [
      documentOf(statementMediaType, bytes),
      documentOf(confirmationMediaType, confirmation),
    ]) {
      const readers = ["home-1", "utility", "home-2"];
      assert.deepEqual(
        readers.map((id) => isSettlementFor(document, id)),
        [true, true, false],
      );
    }
    assert.ok(isSettlementFor(documentOf(tariffMediaType, bytes), "home-2"));
    assert.ok(!isSettlementFor(documentOf("application/json", bytes), "home-1"));
    assert.ok(!isSettlementFor(documentOf(statementMediaType, utf8("{")), "home-1"));
  });
});

describe("the differences of two statements", () => {
  const changed = (change: Partial<Statement["days"][number]>) =>
    statementDocument(
      frame,
      {
        ...statement,
        days: statement.days.map((day, i) => (i === 1 ? { ...day, ...change } : day)),
      },
      { named: true },
    );

  test("are none for the same", () => {
    assert.deepEqual([frameDifferences(stated, stated), dayDifferences(stated, stated)], [[], []]);
  });
  test("say day and amount", () => {
    assert.deepEqual(dayDifferences(changed({ due: 29 }), stated), [
      {
        startS: 86_400,
        amounts: [{ name: "due", stated: 29, computed: 28 }],
        statedOnly: [],
        computedOnly: [],
        sameRecords: true,
      },
    ]);
  });
  test("name the records that one of them left out", () => {
    const [more] = dayDifferences(stated, changed({ records: ["cc".repeat(32)] }));
    assert.deepEqual(
      [more?.computedOnly, more?.statedOnly, more?.sameRecords],
      [["cccccccccccccccc"], [], false],
    );
  });
  test("are days that only one of them has, and what it says beside its days", () => {
    const short = { ...stated, days: stated.days.slice(0, 1), currency: "USD" };
    assert.deepEqual(
      [dayDifferences(short, stated), dayDifferences(stated, short)].map((each) =>
        each.map(({ startS }) => startS),
      ),
      [[86_400], [86_400]],
    );
    assert.deepEqual(frameDifferences(short, stated), ["currency"]);
  });
});
