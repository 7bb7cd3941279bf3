import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { concatBytes, utf8 } from "../../../src/base/bytes.js";
import { PrivateEntrySchema } from "../../../src/gen/bss/v1/block_pb.js";
import { MemberEntrySchema } from "../../../src/gen/bss/v1/members_pb.js";
import {
  MeterReadingSchema,
  ProfileRunSchema,
  RecordSchema,
  SubmissionHeaderSchema,
} from "../../../src/gen/bss/v1/record_pb.js";
import { strictDecode } from "../../../src/ledger/strict-decode.js";

const reading = create(RecordSchema, {
  ownerId: "participant-1",
  salt: new Uint8Array(16).fill(1),
  timeUnixMs: 1_700_000_000_000n,
  payload: {
    case: "meterReading",
    value: {
      meterId: "meter-1",
      intervalStartUnixS: 900n,
      intervalS: 900,
      exportedWh: 2n ** 64n - 1n,
    },
  },
});
const bytes = toBinary(RecordSchema, reading);

/** A field with its tag in one byte and its length in one byte. */
function field(number: number, content: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of((number << 3) | 2, content.length), content);
}

function varint(number: number, ...content: number[]): Uint8Array {
  return Uint8Array.of(number << 3, ...content);
}

function problem(input: Uint8Array): string {
  const decoded = strictDecode(RecordSchema, input);
  assert.ok(!decoded.ok, "it was decoded");
  return decoded.error;
}

describe("strict decoding takes", () => {
  test("what a library writes, and gives the same message", () => {
    const decoded = strictDecode(RecordSchema, bytes);
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value, reading);
  });

  test("nothing at all: all fields have their defaults", () => {
    assert.deepEqual(strictDecode(RecordSchema, new Uint8Array()), {
      ok: true,
      value: create(RecordSchema),
    });
  });

  test("fields in any order, and defaults that are written out", () => {
    const swapped = concatBytes(varint(3, 5), field(2, new Uint8Array(2)), field(1, utf8("a")));
    const decoded = strictDecode(RecordSchema, swapped);
    assert.ok(decoded.ok);
    assert.equal(decoded.value.ownerId, "a");
    assert.ok(strictDecode(RecordSchema, concatBytes(field(1, utf8("")), varint(3, 0))).ok);
  });

  test("negative times, in the ten bytes that they have", () => {
    const past = create(RecordSchema, { timeUnixMs: -(2n ** 63n) });
    assert.deepEqual(strictDecode(RecordSchema, toBinary(RecordSchema, past)), {
      ok: true,
      value: past,
    });
  });

  test("repeated fields, packed where they are numbers", () => {
    const header = create(SubmissionHeaderSchema, {
      recordHashes: [new Uint8Array(32), new Uint8Array(32)],
    });
    assert.ok(strictDecode(SubmissionHeaderSchema, toBinary(SubmissionHeaderSchema, header)).ok);
    const entry = create(PrivateEntrySchema, { recordIndexes: [0, 1, 127, 128, 2 ** 32 - 1] });
    const packed = toBinary(PrivateEntrySchema, entry);
    assert.deepEqual(strictDecode(PrivateEntrySchema, packed), { ok: true, value: entry });
  });

  test("nested messages and booleans", () => {
    const entry = create(MemberEntrySchema, {
      entry: {
        case: "manager",
        value: { member: { managerId: "manager-1" }, suspended: true },
      },
    });
    const encoded = toBinary(MemberEntrySchema, entry);
    assert.deepEqual(strictDecode(MemberEntrySchema, encoded), { ok: true, value: entry });
  });
});

describe("strict decoding refuses", () => {
  const meter = (...parts: Uint8Array[]) => field(10, concatBytes(...parts));
  const cases: readonly (readonly [what: string, input: Uint8Array, says: RegExp])[] = [
    ["an unknown field", concatBytes(bytes, varint(5, 1)), /field 5 is unknown/],
    ["an unknown field inside", meter(varint(15, 1)), /meter_reading: field 15 is unknown/],
    ["an unknown payload", concatBytes(field(1, utf8("a")), Uint8Array.of(0xfa, 1, 0)), /field 31/],
    ["field 0", field(0, utf8("x")), /field 0 is unknown/],
    ["a group", Uint8Array.of((1 << 3) | 3, (1 << 3) | 4), /owner_id has wire type 3/],
    ["a wrong wire type", varint(1, 0), /owner_id has wire type 0/],
    ["a number sent as bytes", field(3, Uint8Array.of(1)), /time_unix_ms has wire type 2/],
    ["a fixed-width number", Uint8Array.of((3 << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8), /wire type 1/],
    ["a field twice", concatBytes(bytes, field(1, utf8("a"))), /owner_id is there twice/],
    ["a message twice", concatBytes(meter(), meter()), /meter_reading is there twice/],
    ["two payloads", concatBytes(bytes, field(13, utf8(""))), /document excludes another field/],
    ["a padded integer", varint(3, 0x81, 0x00), /time_unix_ms is not an integer/],
    ["a padded zero", varint(3, 0x80, 0x00), /time_unix_ms is not an integer/],
    ["a padded tag", Uint8Array.of(0x98, 0x00, 1), /tag/],
    ["a padded length", Uint8Array.of((1 << 3) | 2, 0x81, 0x00, 0x61), /owner_id is cut off/],
    ["65 bits", varint(3, ...Array(9).fill(0xff), 2), /time_unix_ms is not an integer/],
    ["eleven bytes", varint(3, ...Array(10).fill(0xff), 1), /time_unix_ms is not an integer/],
    ["33 bits in a uint32", meter(varint(3, 0xff, 0xff, 0xff, 0xff, 0x10)), /interval_s/],
    ["six bytes in a uint32", meter(varint(3, 0xff, 0xff, 0xff, 0xff, 0x8f, 1)), /interval_s/],
    ["an integer that does not end", varint(3, 0x80), /time_unix_ms is not an integer/],
    ["a tag that does not end", Uint8Array.of(0x88), /tag/],
    ["a length without content", Uint8Array.of((1 << 3) | 2), /owner_id is cut off/],
    ["a length beyond the end", Uint8Array.of((1 << 3) | 2, 2, 0x61), /owner_id is cut off/],
    ["a length of 4 GiB", Uint8Array.of(10, 0xff, 0xff, 0xff, 0xff, 0x0f), /owner_id is cut off/],
    // The inner length runs past the inner message, though not past the outer one.
    [
      "a field across its message's end",
      concatBytes(Uint8Array.of(82, 2, 10, 3), utf8("abc")),
      /cut/,
    ],
    ["text that is not UTF-8", field(1, Uint8Array.of(0xff)), /UTF-8/],
    ["surrogates in text", field(1, Uint8Array.of(0xed, 0xa0, 0x80)), /UTF-8/],
    ["a byte order mark", field(1, utf8("\ufeffa")), /owner_id has a byte order mark/],
    ["trailing zeros", concatBytes(bytes, new Uint8Array(1)), /field 0 is unknown/],
  ];
  for (const [what, input, says] of cases) {
    test(what, () => {
      assert.match(problem(input), says);
    });
  }

  test("numbers that are not packed, and packed ones that are padded or cut off", () => {
    const refused = [varint(3, 1), field(3, Uint8Array.of(0x81, 0)), field(3, Uint8Array.of(0x80))];
    for (const input of refused) assert.ok(!strictDecode(PrivateEntrySchema, input).ok);
  });

  test("booleans that are neither 0 nor 1", () => {
    const suspended = (...content: number[]) => field(1, varint(2, ...content));
    assert.ok(strictDecode(MemberEntrySchema, suspended(1)).ok);
    for (const content of [[2], [0x81, 0x01]]) {
      assert.ok(!strictDecode(MemberEntrySchema, suspended(...content)).ok);
    }
  });
});

describe("strict decoding of anything", () => {
  test("does not throw, and what it takes has one meaning: encoding it again loses nothing", () => {
    const bytesOrNoise = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)).map(([at, value]) => bytes.with(at, value)),
      fc.nat(bytes.length).map((length) => bytes.subarray(0, length)),
    );
    fc.assert(
      fc.property(bytesOrNoise, (input) => {
        const decoded = strictDecode(RecordSchema, input);
        if (!decoded.ok) return;
        const again = toBinary(RecordSchema, decoded.value);
        assert.ok(again.length <= input.length);
        assert.deepEqual(fromBinary(RecordSchema, again), decoded.value);
      }),
      { numRuns: 2000 },
    );
  });

  test("agrees with the library on every message that it takes from it", () => {
    const arbitrary = fc.record({
      meterId: fc.string({ unit: "binary" }).filter((text) => !text.startsWith("\ufeff")),
      intervalStartUnixS: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      intervalS: fc.nat(2 ** 32 - 1),
      importedWh: fc.bigInt(0n, 2n ** 64n - 1n),
      exportedWh: fc.bigInt(0n, 2n ** 64n - 1n),
    });
    fc.assert(
      fc.property(arbitrary, (init) => {
        const message = create(MeterReadingSchema, init);
        const encoded = toBinary(MeterReadingSchema, message);
        assert.deepEqual(strictDecode(MeterReadingSchema, encoded), { ok: true, value: message });
      }),
    );
  });

  test("agrees with the library on members of an enum that have five bytes", () => {
    const run = varint(2, 0xff, 0xff, 0xff, 0xff, 0x0f);
    const value = fromBinary(ProfileRunSchema, run);
    assert.deepEqual(strictDecode(ProfileRunSchema, run), { ok: true, value });
  });
});
