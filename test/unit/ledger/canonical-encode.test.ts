import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { concatBytes } from "../../../src/base/bytes.js";
import {
  CommitCertificateSchema,
  ManagerBlockSchema,
  PrivateEntrySchema,
} from "../../../src/gen/bss/v1/block_pb.js";
import { ProfileRunSchema, RecordSchema } from "../../../src/gen/bss/v1/record_pb.js";
import { VoteSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { hasLayout } from "../../../src/ledger/message-layout.js";
import { encode } from "../../../src/ledger/wire.js";
import { schemas, valuesOf } from "./support/any-message.js";

describe("the canonical encoder and protobuf-es", () => {
  test("agree on every message of the API and the store, made or as it is made from", () => {
    assert.ok(schemas.filter(hasLayout).length > 150);
    for (const schema of schemas.filter(hasLayout)) {
      fc.assert(
        fc.property(valuesOf(schema), (init) => {
          const message = create(schema, init as MessageInitShape<typeof schema>);
          const bytes = toBinary(schema, message);
          assert.deepEqual(encode(schema, message), bytes);
          assert.deepEqual(encode(schema, init as MessageInitShape<typeof schema>), bytes);
        }),
        { numRuns: 30 },
      );
    }
  });

  test("agree on numbers of every length", () => {
    const edges = Array.from({ length: 64 }, (_, bits) => 2n ** BigInt(bits));
    for (const edge of edges.flatMap((power) => [power - 1n, power])) {
      for (const timeUnixMs of [BigInt.asIntN(64, edge), -BigInt.asIntN(64, edge)]) {
        const message = create(RecordSchema, { timeUnixMs: BigInt.asIntN(64, timeUnixMs) });
        assert.deepEqual(encode(RecordSchema, message), toBinary(RecordSchema, message));
      }
      const certificate = create(CommitCertificateSchema, { height: edge });
      assert.deepEqual(
        encode(CommitCertificateSchema, certificate),
        toBinary(CommitCertificateSchema, certificate),
      );
    }
  });

  test("agree on messages longer than what is kept for one, and on the ones after", () => {
    const records = Array.from({ length: 300 }, (_, i) => new Uint8Array(i * 7).fill(i));
    const long = create(ManagerBlockSchema, { block: { header: new Uint8Array(9) }, records });
    assert.ok(encode(ManagerBlockSchema, long).length > 300_000);
    assert.deepEqual(encode(ManagerBlockSchema, long), toBinary(ManagerBlockSchema, long));
    const short = create(VoteSchema, { managerId: "m" });
    assert.deepEqual(encode(VoteSchema, short), toBinary(VoteSchema, short));
  });

  test("agree on fields that a message does not have, in it and within", () => {
    const vote = toBinary(VoteSchema, create(VoteSchema, { height: 5n, managerId: "m" }));
    const unknown = Uint8Array.of(0xf8, 0x07, 5, 0xfa, 0x07, 1, 9);
    const message = fromBinary(VoteSchema, concatBytes(vote, unknown));
    assert.equal(message.$unknown?.length, 2);
    assert.deepEqual(encode(VoteSchema, message), toBinary(VoteSchema, message));
    const record = toBinary(RecordSchema, create(RecordSchema, { ownerId: "p" }));
    const reading = Uint8Array.of(0x52, unknown.length);
    const outer = fromBinary(RecordSchema, concatBytes(record, reading, unknown));
    assert.deepEqual(encode(RecordSchema, outer), toBinary(RecordSchema, outer));
  });

  const wrong: readonly (readonly [what: string, encodeIt: () => Uint8Array])[] = [
    ["64 bits in 32", () => encode(PrivateEntrySchema, { recordIndexes: [2 ** 32] })],
    ["a fraction", () => encode(PrivateEntrySchema, { recordIndexes: [0.5] })],
    ["less than none", () => encode(PrivateEntrySchema, { recordIndexes: [-1] })],
    ["65 bits", () => encode(CommitCertificateSchema, { height: 2n ** 64n })],
    ["-1 as a height", () => encode(CommitCertificateSchema, { height: -1n })],
    ["64 bits of a signed one", () => encode(RecordSchema, { timeUnixMs: 2n ** 63n })],
    ["a number as a height", () => encode(CommitCertificateSchema, { height: 1 as never })],
    ["33 bits of an enum", () => encode(ProfileRunSchema, { quality: (2 ** 31) as never })],
  ];
  for (const [what, encodeIt] of wrong) {
    test(`refuse ${what}, and go on with the next message`, () => {
      assert.throws(encodeIt);
      assert.equal(encode(VoteSchema, {}).length, 0);
    });
  }
});
