import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { readHomeEnergy } from "../../../examples/energy-community/home-energy.js";
import {
  type BssClient,
  energyTrade,
  loadProfile,
  type Record,
  RecordSchema,
  tradeTerms,
} from "../../../src/client/index.js";

const startS = Date.UTC(2016, 7, 2) / 1000;
const hourS = 3600;

function profileOf(values: readonly (readonly [imported: number, exported: number] | undefined)[]) {
  return loadProfile({
    ownerId: "home",
    meterId: "meter",
    startS,
    intervalS: hourS,
    values: values.map(
      (value) =>
        value && { importedWh: value[0], exportedWh: value[1], quality: "measured" as const },
    ),
  });
}

function tradeOf(sellerId: string, buyerId: string, hour: number, energyWh: number) {
  const deliveryStartS = startS + hour * hourS;
  const terms = tradeTerms({ sellerId, buyerId, deliveryStartS, energyWh, priceMicroPerKwh: 1n });
  const signature = new Uint8Array(64);
  const signatures = { sellerSignature: signature, buyerSignature: signature };
  return energyTrade({ ownerId: sellerId, terms, timeMs: 0, ...signatures });
}

/** A home that lists these records; one without content is undefined. */
function homeWith(records: readonly (Uint8Array | undefined)[]): BssClient {
  const client = {
    profile: { id: "home" },
    async *listRecords() {
      for (const bytes of records) {
        const record: Record | undefined = bytes && fromBinary(RecordSchema, bytes);
        yield { hash: new Uint8Array(32), content: record && { record } };
      }
    },
  };
  return client as unknown as BssClient;
}

describe("what a home reads of its energy", () => {
  test("values stand at their hours, behind those that are absent", async () => {
    const profile = profileOf([[5, 0], undefined, undefined, [0, 7], [1, 2]]);
    const { sums, byHour } = await readHomeEnergy(homeWith([profile]));
    const hours = [...byHour].map(([atS, { importedWh, exportedWh }]) => {
      return [(atS - startS) / hourS, importedWh, exportedWh];
    });
    assert.deepEqual(hours, [
      [0, 5, 0],
      [3, 0, 7],
      [4, 1, 2],
    ]);
    const { profiles, values, importedWh, exportedWh } = sums;
    assert.deepEqual([profiles, values, importedWh, exportedWh], [1, 3, 6n, 9n]);
  });

  test("what it sells and what it buys, in the hour of delivery", async () => {
    const records = [
      profileOf([
        [0, 9],
        [8, 0],
      ]),
      tradeOf("home", "other", 0, 3),
      tradeOf("home", "third", 0, 4),
      tradeOf("other", "home", 1, 6),
    ];
    const { sums, byHour } = await readHomeEnergy(homeWith(records));
    assert.deepEqual(
      [...byHour.values()],
      [
        { importedWh: 0, exportedWh: 9, soldWh: 7, boughtWh: 0 },
        { importedWh: 8, exportedWh: 0, soldWh: 0, boughtWh: 6 },
      ],
    );
    assert.deepEqual([sums.sales, sums.soldWh, sums.boughtWh], [2, 7n, 6n]);
  });

  test("a record that it cannot read is told", async () => {
    await assert.rejects(readHomeEnergy(homeWith([undefined])), /home cannot read its record 0000/);
  });
});
