import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import { Metadata } from "@grpc/grpc-js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../src/gen/google/rpc/status_pb.js";
import { violation } from "../../../src/ledger/violation.js";
import { errorTextCharsMax, RpcError, rpcErrorOfViolation } from "../../../src/rpc/rpc-error.js";
import {
  detailsTrailer,
  refusalOf,
  rpcErrorOf,
  rpcErrorOfRefusal,
  wireStatusOf,
} from "../../../src/rpc/status-details.js";

function throughTheWire(error: RpcError): RpcError {
  const { code, details, metadata } = wireStatusOf(error);
  return rpcErrorOf(Object.assign(new Error(details), { code, details, metadata }));
}

function facts(error: RpcError) {
  const { reason, status, message, field, metadata, retryAfterMs } = error;
  return { reason, status, message, field, metadata: { ...metadata }, retryAfterMs };
}

describe("an RpcError", () => {
  const errors: readonly RpcError[] = [
    new RpcError("DOUBLE_SPEND", "sold more than exported"),
    new RpcError("FIELD_INVALID", "bad salt", { field: "submission.records[3].salt" }),
    new RpcError("POOL_FULL", "full", { retryAfterMs: 12_345 }),
    new RpcError("POOL_FULL", "full, and for long", { retryAfterMs: 0 }),
    new RpcError("ROLE_NOT_ALLOWED", "no", { metadata: { role: "storage", method: "x/Y" } }),
    new RpcError("STORAGE_UNAVAILABLE", "2 of 3 storage nodes: storage-1, storage-2"),
  ];
  for (const error of errors) {
    test(`comes back from the wire as it was: ${error.message}`, () => {
      assert.deepEqual(facts(throughTheWire(error)), facts(error));
    });
  }

  test("is a google.rpc.Status with the standard details", () => {
    const error = new RpcError("FIELD_INVALID", "why", { field: "a.b", retryAfterMs: 1500 });
    const { code, metadata } = wireStatusOf(error);
    const [bytes] = metadata.get(detailsTrailer);
    const status = fromBinary(StatusSchema, new Uint8Array(bytes as Buffer));
    assert.equal(code, 3);
    assert.equal(status.code, 3);
    assert.equal(status.message, "why");
    assert.deepEqual(
      status.details.map((detail) => detail.typeUrl),
      ["ErrorInfo", "BadRequest", "RetryInfo"].map(
        (name) => `type.googleapis.com/google.rpc.${name}`,
      ),
    );
    const [info, badRequest, retry] = status.details;
    assert.ok(info && badRequest && retry);
    assert.equal(anyUnpack(info, ErrorInfoSchema)?.domain, "bss");
    assert.equal(anyUnpack(badRequest, BadRequestSchema)?.fieldViolations[0]?.field, "a.b");
    const delay = anyUnpack(retry, RetryInfoSchema)?.retryDelay;
    assert.equal(delay?.seconds, 1n);
    assert.equal(delay?.nanos, 500_000_000);
  });

  test("keeps its text short and percent-encodable", () => {
    const long = `${"x".repeat(errorTextCharsMax - 1)}😀 and more`;
    const error = new RpcError("INTERNAL", long, {});
    assert.equal(error.message.length, errorTextCharsMax);
    assert.ok(error.message.endsWith("\ufffd"));
    encodeURI(error.message);
    const values = new RpcError("INTERNAL", "x", { metadata: { key: long }, field: long });
    const back = throughTheWire(values);
    assert.equal(back.metadata.key?.length, errorTextCharsMax);
    assert.equal(back.field?.length, errorTextCharsMax);
  });

  test("is retryable when waiting or another node helps", () => {
    assert.equal(new RpcError("POOL_FULL", "").retryable, true);
    assert.equal(new RpcError("NODE_HALTED", "").retryable, true);
    assert.equal(new RpcError("DEADLINE", "", { retryAfterMs: 0 }).retryable, true);
    assert.equal(new RpcError("CANCELLED", "").retryable, false);
    assert.equal(new RpcError("DOUBLE_SPEND", "").retryable, false);
  });

  test("carries a violation of the ledger's rules, with the field below what holds it", () => {
    const bare = rpcErrorOfViolation(violation("DOUBLE_SPEND", "m"));
    assert.equal(bare.reason, "DOUBLE_SPEND");
    assert.equal(bare.status, "FAILED_PRECONDITION");
    assert.equal(bare.field, undefined);
    const salt = violation("SALT_INVALID", "m", "records[3].salt");
    assert.equal(rpcErrorOfViolation(salt).field, "records[3].salt");
    assert.equal(rpcErrorOfViolation(salt, "submission").field, "submission.records[3].salt");
    assert.equal(
      rpcErrorOfViolation(violation("SALT_INVALID", "m"), "submission").field,
      "submission",
    );
  });

  test("goes into a refusal inside a stream and back", () => {
    for (const error of errors) {
      const back = rpcErrorOfRefusal(refusalOf(error));
      assert.deepEqual(facts(back), { ...facts(error), metadata: {} });
    }
  });
});

describe("a failed call", () => {
  const failure = (code: number, metadata?: Metadata) =>
    Object.assign(new Error("9 TEXT: details"), { code, details: "details", metadata });

  const local: readonly [number, string, string][] = [
    [1, "CANCELLED", "CANCELLED"],
    [4, "DEADLINE", "DEADLINE_EXCEEDED"],
    [8, "MESSAGE_TOO_LARGE", "RESOURCE_EXHAUSTED"],
    [12, "METHOD_UNIMPLEMENTED", "UNIMPLEMENTED"],
    [14, "NODE_UNREACHABLE", "UNAVAILABLE"],
    [2, "INTERNAL", "UNKNOWN"],
    [13, "INTERNAL", "INTERNAL"],
  ];
  for (const [code, reason, status] of local) {
    test(`without our details and with code ${code} has the reason ${reason}`, () => {
      const error = rpcErrorOf(failure(code, new Metadata()));
      assert.equal(error.reason, reason);
      assert.equal(error.status, status);
      assert.equal(error.message, "details");
      // The client's own deadline as that of a node: docs/errors.md.
      assert.equal(error.retryAfterMs, reason === "DEADLINE" ? 1000 : 0);
    });
  }

  test("keeps a reason that only a newer node knows, with the status that it came with", () => {
    const metadata = new Metadata();
    const info = create(ErrorInfoSchema, { reason: "FROM_THE_FUTURE", domain: "bss" });
    const status = create(StatusSchema, { code: 9, details: [anyPack(ErrorInfoSchema, info)] });
    metadata.set(detailsTrailer, Buffer.from(toBinary(StatusSchema, status)));
    const error = rpcErrorOf(failure(9, metadata));
    assert.equal(error.reason, "FROM_THE_FUTURE");
    assert.equal(error.status, "FAILED_PRECONDITION");
    assert.equal(error.retryAfterMs, 0);
  });

  test("with details of another domain, or none that decode, is judged by its code", () => {
    const other = create(ErrorInfoSchema, { reason: "DOUBLE_SPEND", domain: "example.com" });
    const broken = { ...anyPack(ErrorInfoSchema, other), value: Uint8Array.of(0x0a, 0x7f) };
    const withDetails = (details: Any[]) =>
      Buffer.from(toBinary(StatusSchema, create(StatusSchema, { code: 14, details })));
    const trailers = [
      withDetails([anyPack(ErrorInfoSchema, other)]),
      withDetails([broken]),
      Buffer.of(0x80),
      Buffer.alloc(0),
    ];
    for (const trailer of trailers) {
      const metadata = new Metadata();
      metadata.set(detailsTrailer, trailer);
      assert.equal(rpcErrorOf(failure(14, metadata)).reason, "NODE_UNREACHABLE");
    }
  });

  test("that no status explains is INTERNAL, and an RpcError stays what it is", () => {
    assert.equal(rpcErrorOf(new Error("x")).reason, "INTERNAL");
    assert.equal(rpcErrorOf("x").reason, "INTERNAL");
    const error = new RpcError("POOL_FULL", "x");
    assert.equal(rpcErrorOf(error), error);
  });
});
