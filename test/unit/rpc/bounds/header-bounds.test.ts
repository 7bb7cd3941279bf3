import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Metadata } from "@grpc/grpc-js";
import {
  answerHeaderBytesMax,
  areRefusedHeaders,
  boundHeaders,
  requestHeaderBytesMax,
} from "../../../../src/rpc/bounds/header-bounds.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { detailsTrailer, wireStatusOf } from "../../../../src/rpc/status-details.js";

describe("the headers of a request", () => {
  before(boundHeaders);
  const read = (headers: Record<string, string>) =>
    Metadata.fromHttp2Headers({ ":method": "POST", ...headers });

  test("of standard clients and proxies are read", () => {
    const metadata = read({
      "user-agent": "grpc-java-netty/1.70.0",
      "grpc-timeout": "10S",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "grpc-trace-bin": "AAAAAAAA",
      "x-several-bin": "AA, AQ, Ag",
      authorization: `Bearer ${"x".repeat(8_000)}`,
    });
    assert.equal(areRefusedHeaders(metadata), false);
    assert.deepEqual(metadata.get("grpc-timeout"), ["10S"]);
    assert.equal(metadata.get("x-several-bin").length, 3);
  });

  for (const [what, headers] of Object.entries({
    "that are long": { "x-long": "x".repeat(requestHeaderBytesMax) },
    "of many binary values": { "x-bin": ",".repeat(1_000) },
    "of many binary values, in several": { "x-bin": ",".repeat(40), "y-bin": ",".repeat(40) },
  })) {
    test(`${what} are not read`, () => {
      const metadata = read(headers);
      assert.equal(areRefusedHeaders(metadata), true);
      assert.deepEqual(metadata.getMap(), {});
    });
  }
});

describe("the headers of an answer", () => {
  before(boundHeaders);

  test("of many binary values fail the call", () => {
    const headers = { ":status": "200", "x-bin": ",".repeat(4_000) };
    assert.throws(() => Metadata.fromHttp2Headers(headers), /longer than a node may send/);
    const long = { ":status": "200", "x-long": "x".repeat(answerHeaderBytesMax) };
    assert.throws(() => Metadata.fromHttp2Headers(long), /longer than a node may send/);
  });

  test("with the longest error of a node are read", () => {
    const text = "\u20ac".repeat(2_000);
    const error = new RpcError("FIELD_INVALID", text, {
      field: text,
      metadata: { limit: text, what: text },
      retryAfterMs: 1_000,
    });
    const { details, metadata } = wireStatusOf(error);
    const bytes = metadata.get(detailsTrailer)[0] as Buffer;
    const received = Metadata.fromHttp2Headers({
      "grpc-status": "3",
      "grpc-message": encodeURI(details),
      [detailsTrailer]: bytes.toString("base64"),
    });
    assert.deepEqual(received.get(detailsTrailer), metadata.get(detailsTrailer));
  });
});
