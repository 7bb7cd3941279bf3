import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { GetRecordRequestSchema } from "../../../src/gen/bss/v1/query_pb.js";
import { requestBounds } from "../../../src/rpc/bounds/method-bounds.js";
import { decodeMessage, encodeMessage } from "../../../src/rpc/message-codec.js";
import {
  pagePosition,
  pageSize,
  pageToken,
  requireBytes,
  requireSafeInteger,
} from "../../../src/rpc/validation.js";

describe("validation", () => {
  const refused = (field: string) => ({ name: "RpcError", reason: "FIELD_INVALID", field });

  test("say so when hex was given for base64", () => {
    const given = Buffer.from("0f".repeat(32), "base64");
    assert.throws(() => requireBytes(given, 32, "record_hash"), /got 48: hex was given where JSON/);
    const other = new Uint8Array(48);
    other[0] = 0xff;
    assert.throws(() => requireBytes(other, 32, "record_hash"), /got 48$/);
  });

  test("of bytes wants their exact length", () => {
    const hash = new Uint8Array(32);
    assert.equal(requireBytes(hash, 32, "record_hash"), hash);
    for (const length of [0, 31, 33]) {
      assert.throws(
        () => requireBytes(new Uint8Array(length), 32, "record_hash"),
        refused("record_hash"),
      );
    }
  });

  test("of integers wants what a number can hold", () => {
    const max = BigInt(Number.MAX_SAFE_INTEGER);
    assert.equal(requireSafeInteger(0n, "height"), 0);
    assert.equal(requireSafeInteger(max, "height"), Number.MAX_SAFE_INTEGER);
    for (const value of [-1n, max + 1n, 2n ** 64n - 1n]) {
      assert.throws(() => requireSafeInteger(value, "height"), refused("height"));
    }
  });

  test("of a page size knows default and limit", () => {
    const limits = { defaultSize: 100, sizeMax: 1000 };
    assert.equal(pageSize(0, limits), 100);
    assert.equal(pageSize(1, limits), 1);
    assert.equal(pageSize(1000, limits), 1000);
    assert.throws(() => pageSize(1001, limits), refused("page_size"));
  });

  test("of page tokens takes those of the same listing only", () => {
    const token = pageToken("records", "participant-1:17");
    assert.equal(pagePosition("records", token), "participant-1:17");
    assert.equal(pagePosition("records", ""), undefined);
    for (const wrong of [
      pageToken("blocks", "17"),
      `${token}=`,
      `${token}!`,
      "17",
      token.slice(1),
    ]) {
      assert.throws(() => pagePosition("records", wrong), { reason: "PAGE_TOKEN_INVALID" });
    }
  });
});

describe("the codec", () => {
  const bounds = requestBounds("bss.v1.QueryService/GetRecord");

  test("hands out plain byte arrays, not buffers", () => {
    const request = { recordHash: new Uint8Array(32).fill(7) };
    const bytes = encodeMessage(GetRecordRequestSchema, request);
    assert.deepEqual(
      new Uint8Array(bytes),
      toBinary(GetRecordRequestSchema, create(GetRecordRequestSchema, request)),
    );
    const { recordHash } = decodeMessage(GetRecordRequestSchema, bytes, bounds);
    assert.equal(Buffer.isBuffer(recordHash), false);
    assert.deepEqual(recordHash, request.recordHash);
  });

  test("names the message that the bytes are not", () => {
    assert.throws(() => decodeMessage(GetRecordRequestSchema, Buffer.of(0x0a, 0x20), bounds), {
      reason: "MESSAGE_MALFORMED",
      message: /bss\.v1\.GetRecordRequest/,
    });
  });
});
