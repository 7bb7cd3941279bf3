import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../../../src/base/bytes.js";
import { energyWhMax } from "../../../../src/ledger/kinds/energy.js";
import { CompactWriter } from "../../../../src/ledger/state/compact.js";
import {
  decodeReadings,
  decodeSums,
  encodeReadings,
  encodeSums,
  type StandingReading,
  type StoredSums,
  type WindowValues,
  windowIntervals,
} from "../../../../src/ledger/state/windows.js";

const out = new CompactWriter();
const whMax = energyWhMax;

const wh = fc.oneof(fc.constant(0), fc.nat(3), fc.nat(10_000), fc.nat(whMax));
const reading: fc.Arbitrary<StandingReading> = fc.record(
  {
    importedWh: wh,
    exportedWh: wh,
    position: fc.oneof(fc.nat(300), fc.nat(2 ** 52 - 1)),
  },
  { noNullPrototype: true },
);
const sums: fc.Arbitrary<StoredSums> = fc
  .tuple(wh, wh, fc.nat(4), fc.nat(4))
  .filter(([exported, imported]) => exported + imported > 0)
  .map(([exportedWh, importedWh, sold, bought]) => ({
    exportedWh,
    importedWh,
    soldWh: sold === 4 ? exportedWh : Math.floor(exportedWh / 4) * sold,
    boughtWh: bought === 4 ? importedWh : Math.floor(importedWh / 4) * bought,
  }));

/** Values by slot; the last one is there, as in a window that was written. */
function windowOf<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<WindowValues<Value>> {
  return fc
    .array(fc.option(value, { nil: undefined }), { maxLength: windowIntervals - 1 })
    .chain((before) => value.map((last) => [...before, last]));
}

describe("a window of readings", () => {
  test("has the bytes that are written down", () => {
    const at = (importedWh: number, exportedWh: number, position: number) => ({
      importedWh,
      exportedWh,
      position,
    });
    const values = [undefined, at(300, 0, 1000), at(0, 0, 1001), undefined, at(1, 2, 999)];
    //  slot 1: one before it is empty, imported | 300 | position 1000; slot 2: position + 1;
    //  slot 4: one before it is empty, both | 1 | 2 | position − 2
    assert.equal(toHex(encodeReadings(values, out)), "06ac02e807" + "0002" + "0701" + "0203");
  });

  test("is the same after a way through bytes, and has one encoding", () => {
    fc.assert(
      fc.property(windowOf(reading), (values) => {
        const bytes = encodeReadings(values, out);
        assert.deepEqual(decodeReadings(bytes), values);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is refused in any other bytes", () => {
    for (const [what, hex] of [
      ["cut off in a value", "06ac02e8"],
      ["cut off after a head", "06"],
      ["a zero that should be left out", "0200e807"],
      ["an integer that is longer than it has to be", "028100e807"],
      ["an integer beyond 2^53−1", "02ffffffffffffff1f00"],
      ["an integer without an end", "02ffffffffffffffffff00"],
      ["a gap to slot 96", "800300"],
      ["a 97th value", "0000".repeat(97)],
      ["a position below 0", "00020005"],
    ] as const) {
      assert.equal(decodeReadings(Buffer.from(hex, "hex")), undefined, what);
    }
    assert.notEqual(decodeReadings(Buffer.from("0000".repeat(96), "hex")), undefined);
  });
});

describe("a window of sums", () => {
  test("has the bytes that are written down", () => {
    const none = { importedWh: 0, exportedWh: 0, soldWh: 0, boughtWh: 0 };
    const values = [
      { ...none, exportedWh: 5 },
      none,
      { importedWh: 4, exportedWh: 300, soldWh: 2, boughtWh: 3 },
      undefined,
      { ...none, importedWh: 1 },
    ];
    const [first, third, fifth] = ["0305", "11ac02020403", "0a01"];
    assert.equal(toHex(encodeSums(values, out)), `${first}${third}${fifth}`);
  });

  test("is the same after a way through bytes, and has one encoding", () => {
    fc.assert(
      fc.property(windowOf(sums), (values) => {
        const bytes = encodeSums(values, out);
        assert.deepEqual(decodeSums(bytes), values);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is refused in any other bytes", () => {
    for (const [what, hex] of [
      ["nothing in either direction", "00"],
      ["more sold than exported", "060506"],
      ["more bought than imported", "020102"],
      ["a zero that should be left out", "0300"],
      ["cut off", "0605"],
      ["a gap to slot 96", "e30605"],
    ] as const) {
      assert.equal(decodeSums(Buffer.from(hex, "hex")), undefined, what);
    }
  });
});

describe("bytes that are no window", () => {
  test("are refused, or are the one encoding of what is read", () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(bytes, (value) => {
        const readings = decodeReadings(value);
        if (readings !== undefined) assert.deepEqual(encodeReadings(readings, out), value);
        const energy = decodeSums(value);
        if (energy !== undefined) assert.deepEqual(encodeSums(energy, out), value);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("the size of a window", () => {
  test("is bounded, whatever it holds", () => {
    const full = <Value>(value: (slot: number) => Value) =>
      Array.from({ length: windowIntervals }, (_, slot) => value(slot));
    const readings = full((slot) => ({
      importedWh: whMax,
      exportedWh: whMax,
      position: slot % 2 === 0 ? 0 : 2 ** 52 - 1,
    }));
    assert.ok(encodeReadings(readings, out).length <= 2_500);
    const [soldWh, boughtWh] = [whMax, whMax];
    const energy = full(() => ({ importedWh: whMax, exportedWh: whMax, soldWh, boughtWh }));
    assert.ok(encodeSums(energy, out).length <= 3_300);
  });

  test("of four days of a home, each hour in a block of its own, is below 900 bytes", () => {
    const readings: WindowValues<StandingReading> = [];
    const energy: WindowValues<StoredSums> = [];
    for (let hour = 0; hour < windowIntervals; hour++) {
      const exportedWh = hour % 24 > 6 && hour % 24 < 20 ? 1_250 + hour : 0;
      const importedWh = 412 + hour;
      readings.push({ importedWh, exportedWh, position: 90_000_000 + hour * 1_000_000 });
      energy.push({ importedWh, exportedWh, soldWh: Math.floor(exportedWh / 2), boughtWh: 0 });
    }
    assert.ok(encodeReadings(readings, out).length < 900);
    assert.ok(encodeSums(energy, out).length < 900);
  });
});
