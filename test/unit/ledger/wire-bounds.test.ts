import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { utf8 } from "../../../src/base/bytes.js";
import {
  ApprovalCertificateSchema,
  BlockSchema,
  IntegrityCertificateSchema,
  ManagerBlockHeaderSchema,
  PrivateEntrySchema,
} from "../../../src/gen/bss/v1/block_pb.js";
import { OpenCommitteeSchema } from "../../../src/gen/bss/v1/members_pb.js";
import {
  ListRecordsResponseSchema,
  ListStorageNodesResponseSchema,
} from "../../../src/gen/bss/v1/query_pb.js";
import {
  LoadProfileSchema,
  RecordSchema,
  SubmissionHeaderSchema,
  ValueQuality,
} from "../../../src/gen/bss/v1/record_pb.js";
import { ForkProofSchema, VoteRequestSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { ErrorInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.js";
import { profileIntervalsMax } from "../../../src/ledger/kinds/load-profile.js";
import { strictDecode } from "../../../src/ledger/strict-decode.js";
import { decodeCanonical } from "../../../src/ledger/wire.js";
import {
  recordBounds,
  unknownFieldsMax,
  type WireBounds,
  wireProblem,
} from "../../../src/ledger/wire-bounds.js";
import { wireCost } from "../../support/wire-cost.js";

const wide: WireBounds = { elements: 1_000, memoryBytes: 1_000_000 };

/** `count` times the same few bytes. */
function repeated(bytes: readonly number[], count: number): Uint8Array {
  return Uint8Array.from({ length: bytes.length * count }, (_, i) => bytes[i % bytes.length] ?? 0);
}

describe("the bounds of a message", () => {
  test("let through what is within them, and count elements at any depth", () => {
    const signatures = [{ managerId: "manager-1", signature: new Uint8Array(64) }, {}];
    const first = { height: 7n, round: 1, blockId: new Uint8Array(32), signatures };
    const bytes = toBinary(ForkProofSchema, create(ForkProofSchema, { first, second: {} }));
    assert.equal(wireProblem(ForkProofSchema, bytes, wide), undefined);
    // Two certificates; height, round, block and two signatures; an id and a signature.
    assert.equal(wireCost(ForkProofSchema, bytes)?.elements, 2 + 5 + 2);
  });

  test("refuse thousands of empty messages in a few bytes", () => {
    const signatures = repeated([0x22, 0x00], 500);
    const bytes = Uint8Array.of(0x0a, 0xe8, 0x07, ...signatures);
    const few = { elements: 500, memoryBytes: 1e9 };
    assert.equal(wireProblem(ForkProofSchema, bytes, few)?.kind, "elements");
    assert.equal(wireProblem(ForkProofSchema, bytes, { ...few, elements: 501 }), undefined);
    const small = { elements: 1e9, memoryBytes: 65_536 };
    assert.equal(wireProblem(ForkProofSchema, bytes, small)?.kind, "memory");
    assert.equal(fromBinary(ForkProofSchema, bytes).first?.signatures.length, 500);
  });

  test("grow with the message where they are given so", () => {
    const bytes = toBinary(
      SubmissionHeaderSchema,
      create(SubmissionHeaderSchema, { recordHashes: Array(1_000).fill(new Uint8Array(32)) }),
    );
    assert.equal(wireProblem(SubmissionHeaderSchema, bytes, recordBounds), undefined);
    const empty = repeated([0x1a, 0x00], 1_000);
    assert.equal(wireProblem(SubmissionHeaderSchema, empty, recordBounds)?.kind, "memory");
  });

  test("count packed numbers, those that come one by one, and entries of maps", () => {
    const packed = Uint8Array.of(0x1a, 100, ...new Uint8Array(100));
    assert.equal(wireCost(PrivateEntrySchema, packed)?.elements, 100);
    assert.equal(wireCost(PrivateEntrySchema, repeated([0x18, 0x00], 100))?.elements, 100);
    const metadata = { a: "1", b: "2" };
    const info = toBinary(ErrorInfoSchema, create(ErrorInfoSchema, { metadata }));
    assert.equal(wireCost(ErrorInfoSchema, info)?.elements, 2 + 4);
    const few = { elements: 1e9, memoryBytes: 1_000 };
    assert.equal(wireProblem(PrivateEntrySchema, packed, few)?.kind, "memory");
  });

  test("allow few unknown fields and little depth", () => {
    const unknown = repeated([0x7a, 0x00], unknownFieldsMax);
    assert.equal(wireProblem(BlockSchema, unknown, wide), undefined);
    const more = Uint8Array.of(...unknown, 0x78, 0x00);
    assert.equal(wireProblem(BlockSchema, more, wide)?.kind, "unknown fields");
    // google.protobuf.Struct is one of few messages that hold themselves: field, value, struct.
    let deep = new Uint8Array();
    for (let depth = 0; depth < 20; depth++) {
      const value = Uint8Array.of(0x2a, deep.length, ...deep);
      const entry = Uint8Array.of(0x12, value.length, ...value);
      deep = Uint8Array.of(0x0a, entry.length, ...entry);
    }
    assert.equal(wireProblem(StructSchema, deep, wide)?.kind, "depth");
  });

  const malformed: readonly [string, DescMessage, readonly number[]][] = [
    ["a tag that is cut off", BlockSchema, [0x80]],
    ["a field of number 0", BlockSchema, [0x02, 0x00]],
    ["a tag in ten bytes", BlockSchema, [0x92, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00]],
    ["a length beyond the end", BlockSchema, [0x12, 0x01]],
    ["a length beyond the message around it", BlockSchema, [0x1a, 0x02, 0x0a, 0x01, 0x00]],
    ["a length of 2^31", BlockSchema, [0x12, 0x80, 0x80, 0x80, 0x80, 0x08]],
    ["a message as a number", BlockSchema, [0x18, 0x00]],
    ["a number as bytes", ForkProofSchema, [0x0a, 0x02, 0x0a, 0x00]],
    ["a group", BlockSchema, [0x7b, 0x7c]],
    ["a number of eleven bytes", ManagerBlockHeaderSchema, [0x10, ...Array(10).fill(0x80), 0]],
    ["an unknown field that is cut off", BlockSchema, [0x7a, 0x01]],
    ["four bytes that are three", BlockSchema, [0x7d, 0, 0, 0]],
    ["an unknown field in an entry of a map", ErrorInfoSchema, [0x1a, 0x02, 0x1a, 0x00]],
  ];
  for (const [what, schema, bytes] of malformed) {
    test(`refuse ${what}`, () => {
      const problem = wireProblem(schema, Uint8Array.from(bytes), wide);
      assert.equal(problem?.kind, "malformed");
    });
  }

  test("hold for what stands as bytes in a message and is decoded by itself", () => {
    const entries = repeated([0x1a, 0x00], 20_000);
    assert.equal(decodeCanonical(ApprovalCertificateSchema, entries), undefined);
    const hashes = strictDecode(SubmissionHeaderSchema, repeated([0x1a, 0x00], 20_000));
    assert.match(hashes.ok ? "" : hashes.error, /too many bytes in memory/);
  });
});

describe("the bounds of a record", () => {
  const { ABSENT, MEASURED } = ValueQuality;
  const profileOf = (runs: number, values: number) => {
    const value = {
      meterId: "m",
      runs: Array.from({ length: runs }, (_, i) => ({
        count: 1,
        quality: i % 2 ? ABSENT : MEASURED,
      })),
      importedWh: Array<number>(values).fill(1),
      exportedWh: Array<number>(values).fill(1),
    };
    const payload = { case: "loadProfile" as const, value };
    return toBinary(RecordSchema, create(RecordSchema, { ownerId: "o", payload }));
  };
  const problem = (bytes: Uint8Array) => wireProblem(RecordSchema, bytes, recordBounds)?.kind;

  test("let through the longest profile, however its values and runs are", () => {
    assert.equal(problem(profileOf(1, profileIntervalsMax)), undefined);
    assert.equal(problem(profileOf(profileIntervalsMax, 1)), undefined);
    assert.equal(problem(profileOf(profileIntervalsMax, profileIntervalsMax)), undefined);
    for (const short of [1, 2, 10, 100]) assert.equal(problem(profileOf(short, short)), undefined);
  });

  test("let none through that is far longer, so that little is decoded in vain", () => {
    assert.equal(problem(profileOf(1, 3 * profileIntervalsMax)), "elements");
    assert.equal(problem(profileOf(2 * profileIntervalsMax, 1)), "memory");
  });
});

describe("the estimate of memory", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const count = 20_000;

  const elements: readonly [string, DescMessage, readonly number[]][] = [
    ["signatures of managers", ApprovalCertificateSchema, [0x1a, 0x00]],
    ["signatures of storage nodes", IntegrityCertificateSchema, [0x32, 0x00]],
    ["storage nodes", ListStorageNodesResponseSchema, [0x0a, 0x00]],
    ["entries of records", ListRecordsResponseSchema, [0x0a, 0x00]],
    ["leaves", BlockSchema, [0x1a, 0x00]],
    ["leaves with a hash", BlockSchema, [0x1a, 0x03, 0x0a, 0x01, 0x07]],
    ["operations", BlockSchema, [0x12, 0x01, 0x07]],
    ["ids", OpenCommitteeSchema, [0x32, 0x09, ...utf8("storage-1")]],
    ["numbers", PrivateEntrySchema, [0x18, 0x07]],
    ["runs of a profile", LoadProfileSchema, [0x22, 0x04, 0x08, 0x01, 0x10, 0x02]],
    ["values of a profile", LoadProfileSchema, [0x28, 0x07]],
    ["unknown fields", BlockSchema, [0x7a, 0x00]],
    ["entries of a map", ErrorInfoSchema, [0x1a, 0x03, 0x0a, 0x01, 0x07]],
  ];
  for (const [what, schema, bytes] of elements) {
    test(`is not below what ${what} take`, () => {
      const message = repeated(bytes, count);
      const estimated = wireCost(schema, repeated(bytes, 10));
      const [one, two] = [wireCost(schema, repeated(bytes, 20)), estimated];
      const each = ((one?.memoryBytes ?? 0) - (two?.memoryBytes ?? 0)) / 10;
      collect();
      const before = process.memoryUsage();
      const decoded = fromBinary(schema, message);
      collect();
      const after = process.memoryUsage();
      const taken = after.heapUsed - before.heapUsed + after.external - before.external;
      assert.notEqual(decoded.$typeName, "");
      assert.ok(taken / count <= each * 1.1 + 1, `${taken / count} bytes each, ${each} estimated`);
    });
  }

  test("is made in a message of a method without allocating for its elements", () => {
    const signatures = repeated([0x22, 0x00], 1_000_000);
    const length = [0x80 | (signatures.length & 0x7f), 0x80 | ((signatures.length >> 7) & 0x7f)];
    const inner = Buffer.concat([
      Buffer.of(0x0a, ...length, (signatures.length >> 14) & 0x7f),
      signatures,
    ]);
    const size = inner.length;
    const tag = [0x52, 0x80 | (size & 0x7f), 0x80 | ((size >> 7) & 0x7f), (size >> 14) & 0x7f];
    const bytes = Buffer.concat([Buffer.from(tag), inner]);
    const everything = { elements: 1e9, memoryBytes: 1e12 };
    wireProblem(VoteRequestSchema, bytes, everything);
    collect();
    const before = process.memoryUsage().heapUsed;
    assert.equal(wireProblem(VoteRequestSchema, bytes, everything), undefined);
    const taken = process.memoryUsage().heapUsed - before;
    assert.ok(taken < 500_000, `${taken} bytes for 1,000,000 elements`);
  });
});
