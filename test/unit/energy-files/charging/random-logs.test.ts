/**
 * Random transactions of several stations, written as logs and read back; and broken files, of
 * which nothing may come but items and a refusal.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readOcpi } from "../../../../src/energy-files/charging/ocpi.js";
import { readOcpp } from "../../../../src/energy-files/charging/ocpp.js";
import { type FileItem, FileUnreadable } from "../../../../src/energy-files/file-values.js";
import { itemsOf } from "../support/reading.js";

/** Of one station, in the order of time; each with the messages that say it. */
type Transaction = {
  readonly station: string;
  readonly isVersion2: boolean;
  readonly startS: number;
  readonly durationS: number;
  readonly registerWh: number;
  readonly energyWh: number;
  /** How often each of its messages is sent. */
  readonly repeats: readonly number[];
  readonly isInKwh: boolean;
};

const transaction: fc.Arbitrary<Transaction> = fc.record({
  station: fc.constantFrom("CP-1", "DE*ABC*E123", "CP-3"),
  isVersion2: fc.boolean(),
  startS: fc.integer({ min: 1_700_000_000, max: 1_790_000_000 }),
  durationS: fc.integer({ min: 1, max: 1_000_000 }),
  registerWh: fc.integer({ min: 0, max: 100_000_000 }),
  energyWh: fc.integer({ min: 1, max: 1_000_000 }),
  repeats: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 4, maxLength: 4 }),
  isInKwh: fc.boolean(),
});

const iso = (unixS: number) => new Date(unixS * 1000).toISOString();

/** The messages of a transaction, in the order in which they are sent. */
function messagesOf(each: Transaction, id: number): readonly string[] {
  const sent = each.isVersion2 ? eventsOf(each, id) : callsOf(each, id);
  return sent.flatMap((text, index) => Array(each.repeats[index] ?? 1).fill(text));
}

function callsOf({ startS, durationS, registerWh, energyWh }: Transaction, id: number) {
  const start = { connectorId: 1, meterStart: registerWh, timestamp: iso(startS), idTag: "A" };
  const meterStop = registerWh + energyWh;
  const stop = { transactionId: id, meterStop, timestamp: iso(startS + durationS) };
  return [
    [2, `start-${id}`, "StartTransaction", start],
    [3, `start-${id}`, { transactionId: id }],
    [2, `other-${id}`, "Heartbeat", {}],
    [2, `stop-${id}`, "StopTransaction", stop],
  ].map((message) => JSON.stringify(message));
}

function eventsOf(each: Transaction, id: number) {
  const { startS, durationS, registerWh, energyWh, isInKwh } = each;
  const event = (eventType: string, seqNo: number, atS: number, wh: number) => {
    const unit = isInKwh ? { unitOfMeasure: { unit: "kWh" } } : {};
    const value = isInKwh ? `${Math.floor(wh / 1000)}.${`${wh % 1000}`.padStart(3, "0")}` : `${wh}`;
    const sample = JSON.stringify({ value: 0, ...unit }).replace(":0", `:${value}`);
    const info = JSON.stringify({ transactionId: `t${id}` });
    const time = JSON.stringify(iso(atS));
    return (
      `[2,"${id}-${seqNo}","TransactionEvent",{"eventType":"${eventType}","timestamp":${time},` +
      `"seqNo":${seqNo},"transactionInfo":${info},` +
      `"meterValue":[{"timestamp":${time},"sampledValue":[${sample}]}]}]`
    );
  };
  return [
    event("Started", 0, startS, registerWh),
    event("Updated", 1, startS, registerWh + Math.floor(energyWh / 2)),
    event("Updated", 2, startS + durationS, registerWh + energyWh),
    event("Ended", 3, startS + durationS, registerWh + energyWh),
  ];
}

/** Takes from the queues in the order that `picks` say, each queue in its order. */
function interleaved(queues: readonly (readonly string[])[], picks: readonly number[]): string[] {
  const rest = queues.map((queue) => [...queue]);
  const lines: string[] = [];
  for (let turn = 0; rest.some((queue) => queue.length > 0); turn += 1) {
    const left = rest.filter((queue) => queue.length > 0);
    const queue = left[(picks[turn % picks.length] ?? 0) % left.length];
    const next = queue?.shift();
    if (next !== undefined) lines.push(next);
  }
  return lines;
}

const sortedTexts = (values: readonly unknown[]) =>
  values.map((value) => JSON.stringify(value)).toSorted();

test("random transactions are read back, however they are interleaved and written", async () => {
  const transactions = fc.array(transaction, { minLength: 1, maxLength: 12 });
  const picks = fc.array(fc.nat(11), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(transactions, picks, fc.boolean(), async (all, order, isArray) => {
      const queues = all.map((each, id) =>
        messagesOf(each, id).map((message) =>
          isArray
            ? `{"station":"${each.station}","message":${message}}`
            : `${each.station} ${message}`,
        ),
      );
      const lines = interleaved(queues, order);
      const content = isArray ? `[${lines.join(",\n")}]` : lines.join("\n");
      const items = await itemsOf(readOcpp, content, { chunkBytes: 1000 });
      const found = items.map((item) => {
        assert.equal(item.kind, "session", JSON.stringify(item, bigintText));
        const { stationName, startS, endS, energy } = item as FileItem & { kind: "session" };
        return [stationName, startS, endS, Number(energy.amount) / Number(energy.perWh)];
      });
      const expected = all.map(({ station, startS, durationS, energyWh }) => [
        station,
        startS,
        startS + durationS,
        energyWh,
      ]);
      assert.deepEqual(sortedTexts(found), sortedTexts(expected));
    }),
    { numRuns: 100 },
  );
});

const bigintText = (_: string, value: unknown) =>
  typeof value === "bigint" ? value.toString() : value;

describe("broken files", () => {
  const samples = [
    ["ocpp-1-6.log", readOcpp],
    ["ocpp-1-6-objects.json", readOcpp],
    ["ocpp-2-0-1.jsonl", readOcpp],
    ["ocpi-2-1-1.json", readOcpi],
    ["ocpi-2-2-1.json", readOcpi],
  ] as const;
  const edit = fc.record({
    at: fc.nat(),
    remove: fc.nat(40),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      fc
        .constantFrom("null", "{", "}", "[", "]", ",", '"', "1e99", "-", "\n", '"__proto__":{},')
        .map((text) => new Uint8Array(Buffer.from(text))),
    ),
  });
  for (const [name, reader] of samples) {
    const file = readFileSync(`test/vectors/charging/${name}`);
    test(`of ${name} give items or a refusal`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
          let bytes: Uint8Array = file;
          for (const { at, remove, insert } of edits) {
            const start = at % (bytes.length + 1);
            const parts = [bytes.subarray(0, start), insert, bytes.subarray(start + remove)];
            bytes = Buffer.concat(parts);
          }
          try {
            for (const item of await itemsOf(reader, bytes)) checkItem(item, bytes);
          } catch (error) {
            if (!(error instanceof FileUnreadable)) throw error;
          }
        }),
        { numRuns: 100 },
      );
    });
  }
});

function checkItem(item: FileItem, bytes: Uint8Array): void {
  const lines = Buffer.from(bytes).toString("latin1").split("\n").length;
  assert.ok(item.place.line >= 1 && item.place.line <= lines, `line ${item.place.line}`);
  if (item.kind !== "session") return;
  assert.ok(item.endS > item.startS);
  assert.ok(item.energy.amount > 0n && item.energy.perWh > 0n);
}
