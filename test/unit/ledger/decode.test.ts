import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { concatBytes } from "../../../src/base/bytes.js";
import { VoteSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { decode } from "../../../src/ledger/strict-decode.js";
import { schemas, valuesOf } from "./support/any-message.js";

/** What a reader makes of the bytes: a message, or the error. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
}

describe("the strict walk and protobuf-es", () => {
  test("agree on every message of the API and the store", () => {
    assert.ok(schemas.length > 150);
    for (const schema of schemas) {
      fc.assert(
        fc.property(valuesOf(schema), (init) => {
          const message = create(schema, init as MessageInitShape<typeof schema>);
          const bytes = toBinary(schema, message);
          assert.deepEqual(decode(schema, bytes), fromBinary(schema, bytes));
        }),
        { numRuns: 30 },
      );
    }
  });

  test("agree on bytes that were changed, cut, repeated or put together", () => {
    for (const schema of schemas) {
      const bytesOf = valuesOf(schema).map((init) =>
        toBinary(schema, create(schema, init as MessageInitShape<typeof schema>)),
      );
      fc.assert(
        fc.property(bytesOf, bytesOf, fc.nat(), fc.nat(255), (a, b, at, byte) => {
          const changed = a.length === 0 ? a : a.with(at % a.length, byte);
          const cut = a.subarray(0, at % (a.length + 1));
          const padded = concatBytes(a, Uint8Array.of(byte & 0x7f, 0x80, 0x80, 0));
          for (const bytes of [changed, cut, padded, concatBytes(a, b), concatBytes(a, changed)]) {
            assert.deepEqual(
              outcome(() => decode(schema, bytes)),
              outcome(() => fromBinary(schema, bytes)),
            );
          }
        }),
        { numRuns: 20 },
      );
    }
  });

  test("agree on fields that a message does not have, which are kept", () => {
    const vote = toBinary(VoteSchema, create(VoteSchema, { height: 5n, managerId: "m" }));
    const bytes = concatBytes(vote, Uint8Array.of(0xf8, 0x07, 5));
    const message = decode(VoteSchema, bytes);
    assert.equal(message.$unknown?.length, 1);
    assert.deepEqual(message, fromBinary(VoteSchema, bytes));
  });
});
