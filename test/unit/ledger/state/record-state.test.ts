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

describe("the state of a record", () => {
  test("has the bytes that are written down", () => {
    assert.equal(toHex(encodeRecordState(reading, out)), "0407ac028080808020");
    const successor = toHex(seedOf("successor"));
    assert.equal(toHex(encodeRecordState(trade, out)), `0b07ac028080808020c8010501${successor}`);
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
    const state: fc.Arbitrary<RecordState> = fc.record(
      {
        kind: fc.constantFrom(1, 2, 3, 4, 5),
        ownerNumber: integer,
        height: integer,
        position: integer,
        trade: fc.option(effect, { nil: undefined }),
        profile: fc.option(range, { nil: undefined }),
        successor: fc.option(hash, { nil: undefined }),
      },
      plain,
    );
    fc.assert(
      fc.property(state, (value) => {
        assert.deepEqual(decodeRecordState(encodeRecordState(value, out)), value);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is refused in any other bytes", () => {
    const right = encodeRecordState(trade, out);
    for (let length = 0; length < right.length; length++) {
      assert.equal(decodeRecordState(right.subarray(0, length)), undefined, `${length} bytes`);
    }
    assert.equal(decodeRecordState(Uint8Array.of(...right, 0)), undefined, "one byte more");
    for (const kind of [0, 5, 31]) {
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
