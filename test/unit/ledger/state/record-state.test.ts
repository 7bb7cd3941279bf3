import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../../../src/base/bytes.js";
import { RecordKind } from "../../../../src/gen/bss/store/v1/state_pb.js";
import { CompactWriter } from "../../../../src/ledger/state/compact.js";
import {
  decodeRecordState,
  encodeRecordState,
  type RecordState,
} from "../../../../src/ledger/state/record-state.js";
import { seedOf } from "../support/records.js";

const out = new CompactWriter();

const reading: RecordState = {
  kind: RecordKind.METER_READING,
  ownerNumber: 7,
  height: 300,
  position: 2 ** 33,
  trade: undefined,
  profile: undefined,
  successor: undefined,
};

const plain = { noNullPrototype: true };

const trade: RecordState = {
  ...reading,
  kind: RecordKind.ENERGY_TRADE,
  trade: { buyerNumber: 200, deliveryStartS: 5, energyWh: 1 },
  successor: seedOf("successor"),
};

const profile: RecordState = {
  ...reading,
  kind: RecordKind.LOAD_PROFILE,
  profile: { meterId: "NMI-6001", startS: 900, intervalCount: 96 },
};

describe("the state of a record", () => {
  test("has the bytes that are written down", () => {
    assert.equal(toHex(encodeRecordState(reading, out)), "0407ac028080808020");
    const successor = toHex(seedOf("successor"));
    assert.equal(toHex(encodeRecordState(trade, out)), `0b07ac028080808020c8010501${successor}`);
    const id = "4e4d492d36303031";
    assert.equal(toHex(encodeRecordState(profile, out)), `1607ac028080808020840760${`08${id}`}`);
    const updated = { ...profile, successor: seedOf("successor") };
    const text = `1707ac02808080802084076008${id}${successor}`;
    assert.equal(toHex(encodeRecordState(updated, out)), text);
  });

  test("is the same after a way through bytes", () => {
    const integer = fc.oneof(fc.nat(300), fc.nat(Number.MAX_SAFE_INTEGER));
    const effect = fc.record(
      { buyerNumber: integer, deliveryStartS: integer, energyWh: integer },
      plain,
    );
    const meterId = fc.constantFrom("m", "NMI-6001", "x".repeat(63));
    const range = fc.record({ meterId, startS: integer, intervalCount: integer }, plain);
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const successor = fc.option(hash, { nil: undefined });
    const place = { ownerNumber: integer, height: integer, position: integer, successor };
    const nothing = fc.constant(undefined);
    const ofKind = (kind: RecordKind, rest: { trade?: typeof effect; profile?: typeof range }) =>
      fc.record(
        { kind: fc.constant(kind), trade: nothing, profile: nothing, ...place, ...rest },
        plain,
      );
    const state: fc.Arbitrary<RecordState> = fc.oneof(
      ofKind(RecordKind.METER_READING, {}),
      ofKind(RecordKind.ENERGY_TRADE, { trade: effect }),
      ofKind(RecordKind.CHARGING_SESSION, {}),
      ofKind(RecordKind.DOCUMENT, {}),
      ofKind(RecordKind.LOAD_PROFILE, { profile: range }),
    );
    fc.assert(
      fc.property(state, (value) => {
        assert.deepEqual(decodeRecordState(encodeRecordState(value, out)), value);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is refused in any other bytes", () => {
    for (const whole of [trade, profile]) {
      const right = encodeRecordState(whole, out);
      for (let length = 0; length < right.length; length++) {
        assert.equal(decodeRecordState(right.subarray(0, length)), undefined, `${length} bytes`);
      }
      assert.equal(decodeRecordState(Uint8Array.of(...right, 0)), undefined, "one byte more");
    }
    // A reading that keeps an effect, and a trade and a profile that keep nothing.
    for (const head of [4 * 1 + 2, 4 * 2, 4 * 5]) {
      const bytes = Uint8Array.of(head, 1, 1, 1, 1, 1, 1);
      assert.equal(decodeRecordState(bytes.subarray(0, 4)), undefined, `head ${head}`);
      assert.equal(decodeRecordState(bytes), undefined, `head ${head}`);
    }
    for (const kind of [0, 6, 31]) {
      const unknown = Uint8Array.of(4 * kind, 1, 1, 1);
      assert.equal(decodeRecordState(unknown), undefined, `kind ${kind}`);
    }
    assert.notEqual(decodeRecordState(Uint8Array.of(4, 1, 1, 1)), undefined);
  });

  test("or what is read has that one encoding", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        const state = decodeRecordState(bytes);
        if (state !== undefined) assert.deepEqual(encodeRecordState(state, out), bytes);
      }),
      { numRuns: 20_000 },
    );
  });
});
