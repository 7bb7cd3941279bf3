import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { BroadcastService, SubmitRequestSchema } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import type { GrpcObserver } from "../../../src/metrics/grpc-observer.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { identityOfBytes } from "../../../src/rpc/message-codec.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import type { CallContext } from "../../../src/rpc/server/handlers.js";
import { rpcErrorOf } from "../../../src/rpc/status-details.js";
import { fieldError } from "../../../src/rpc/validation.js";
import { RpcConsortium, rpcErrorFrom, until } from "../../support/rpc-consortium.js";

describe("a unary call", () => {
  let consortium: RpcConsortium;
  let address = "";
  let seen: CallContext | undefined;
  /** Whose calls of GetConsortium have reached the node. */
  const waiting = new Set<string>();
  const events: string[] = [];
  const metrics: GrpcObserver = {
    methodServed: (service, method) => events.push(`serves ${service} ${method}`),
    callEnded: (service, method, status) => events.push(`end ${service} ${method} ${status}`),
    streamOpened: () => events.push("open"),
    streamClosed: () => events.push("close"),
  };

  before(async () => {
    consortium = await RpcConsortium.create();
    const handlers = {
      getStatus: (_request: unknown, context: CallContext) => {
        seen = context;
        return { nodeId: "manager-1", height: 7n };
      },
      getRecord: () => {
        throw fieldError("record_hash", "expected 32 bytes, got 3");
      },
      getBlock: () => {
        throw new Error("secret /etc/path");
      },
      getReceipt: () => {
        throw new RpcError("POOL_FULL", "lone surrogate \ud800 and ünïcode", {
          retryAfterMs: 1500,
        });
      },
      getConsortium: (_request: unknown, context: CallContext) =>
        new Promise<never>((_resolve, reject) => {
          waiting.add(context.identity.id);
          context.signal.addEventListener("abort", () => reject(new Error("gone")));
        }),
    };
    ({ address } = await consortium.serve(QueryService, handlers, { metrics }));
  });
  after(() => consortium.close());

  async function query(id = "participant-1") {
    return createClient(QueryService, await consortium.connect(address, "participant", id));
  }

  test("returns the handler's message, and the handler knows who calls", async () => {
    const status = await (await query()).getStatus({}, { timeoutMs: 600_000 });
    assert.equal(status.nodeId, "manager-1");
    assert.equal(status.height, 7n);
    assert.deepEqual(seen?.identity, { role: "participant", id: "participant-1" });
    assert.equal(seen?.method, "bss.v1.QueryService/GetStatus");
    assert.match(seen?.peerAddress ?? "", /^127\.0\.0\.1:\d+$/);
    assert.ok((seen?.deadlineUnixMs ?? 0) > Date.now());
    const answered = events.indexOf("end bss.v1.QueryService GetStatus OK");
    for (const method of ["bss.v1.QueryService GetFork", "grpc.health.v1.Health Check"]) {
      const told = events.indexOf(`serves ${method}`);
      assert.ok(told >= 0 && told < answered, `${method} is told before any call`);
    }
    await (await query()).getStatus({});
    assert.equal(seen?.deadlineUnixMs, undefined);
  });

  test("aborts its signal when it is over, for the one reason that all calls share", async () => {
    const reasons: unknown[] = [];
    for (let made = 0; made < 2; made++) {
      await (await query()).getStatus({});
      const signal = seen?.signal;
      await until(() => signal?.aborted === true);
      reasons.push(signal?.reason);
    }
    assert.equal((reasons[0] as DOMException).name, "AbortError");
    assert.equal(reasons[0], reasons[1]);
  });

  test("carries reason, field and status of a refusal to the caller", async () => {
    const error = await rpcErrorFrom((await query()).getRecord({}));
    assert.equal(error.status, "INVALID_ARGUMENT");
    assert.equal(error.reason, "FIELD_INVALID");
    assert.equal(error.field, "record_hash");
    assert.equal(error.message, "record_hash: expected 32 bytes, got 3");
    assert.equal(error.retryable, false);
    await until(() => events.includes("end bss.v1.QueryService GetRecord INVALID_ARGUMENT"));
  });

  test("carries when to try again, and text that cannot be percent-encoded", async () => {
    const error = await rpcErrorFrom((await query()).getReceipt({}));
    assert.equal(error.status, "RESOURCE_EXHAUSTED");
    assert.equal(error.retryAfterMs, 1500);
    assert.equal(error.message, "lone surrogate \ufffd and ünïcode");
  });

  test("hides what a handler threw by mistake, and reports it to the node", async () => {
    const error = await rpcErrorFrom((await query()).getBlock({}));
    assert.equal(error.reason, "INTERNAL");
    assert.doesNotMatch(JSON.stringify([error.message, error.metadata]), /secret|path/);
    assert.match(String(consortium.internalErrors.at(-1)), /secret/);
  });

  test("refuses a method that the node does not offer", async () => {
    const error = await rpcErrorFrom((await query()).listBlocks({}));
    assert.equal(error.status, "UNIMPLEMENTED");
    assert.equal(error.reason, "METHOD_UNIMPLEMENTED");
  });

  test("aborts the handler's signal when the deadline passes", async () => {
    const client = await query();
    const gone = () => consortium.internalErrors.some((thrown) => /gone/.test(String(thrown)));
    // On a busy machine a deadline may pass before the node has the call.
    while (!gone()) {
      const error = await rpcErrorFrom(client.getConsortium({}, { timeoutMs: 200 }));
      assert.equal(error.reason, "DEADLINE");
      assert.equal(error.status, "DEADLINE_EXCEEDED");
    }
  });

  test("is cancelled by the caller's signal", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    // A call of the test before may still be on its way.
    const caller = await query("participant-2");
    const failed = rpcErrorFrom(caller.getConsortium({}, { signal }));
    await until(() => waiting.has("participant-2"));
    controller.abort();
    assert.equal((await failed).reason, "CANCELLED");
    await until(() => events.includes("end bss.v1.QueryService GetConsortium CANCELLED"));
    const late = await rpcErrorFrom((await query()).getConsortium({}, { signal }));
    assert.equal(late.reason, "CANCELLED");
  });

  test("to a node that is not there fails with NODE_UNREACHABLE", async () => {
    const channel = await consortium.connect("127.0.0.1:1", "participant", "participant-1");
    const error = await rpcErrorFrom(createClient(QueryService, channel).getStatus({}));
    assert.equal(error.reason, "NODE_UNREACHABLE");
    assert.equal(error.retryable, true);
  });

  test("is answered by a node that refuses all others, if the node leaves its method out", async () => {
    const handlers = { getStatus: () => ({}), getConsortium: () => ({}) };
    const other = await consortium.serve(QueryService, handlers);
    const channel = await consortium.connect(other.address, "participant", "participant-1");
    const client = createClient(QueryService, channel);
    const { getStatus } = QueryService.method;
    other.server.refuseCalls("NODE_HALTED", "the chain forks", [getStatus]);
    await client.getStatus({});
    const error = await rpcErrorFrom(client.getConsortium({}));
    assert.equal(error.reason, "NODE_HALTED");
    assert.equal(error.status, "UNAVAILABLE");
  });
});

describe("a request that is not well formed", () => {
  let consortium: RpcConsortium;
  let address = "";

  before(async () => {
    consortium = await RpcConsortium.create();
    const handlers = { submit: () => ({}) };
    const limits = { participantMessageBytesMax: 4 * 1024 * 1024 };
    ({ address } = await consortium.serve(BroadcastService, handlers, { limits }));
  });
  after(() => consortium.close());

  async function submitBytes(bytes: Uint8Array): Promise<RpcError | undefined> {
    const channel = await consortium.connect(address, "participant", "participant-1");
    return new Promise((resolve) => {
      channel.grpcClient.makeUnaryRequest(
        "/bss.v1.BroadcastService/Submit",
        identityOfBytes,
        identityOfBytes,
        Buffer.from(bytes),
        (error) => resolve(error ? rpcErrorOf(error) : undefined),
      );
    });
  }

  const valid = toBinary(
    SubmitRequestSchema,
    create(SubmitRequestSchema, { submission: { header: new Uint8Array(100) } }),
  );

  test("passes when it is well formed, so that the others fail for their own cause", async () => {
    assert.equal(await submitBytes(valid), undefined);
  });

  const malformed: readonly [string, Uint8Array][] = [
    ["a truncated message", valid.subarray(0, valid.length - 1)],
    ["a truncated tag", Uint8Array.of(0x80)],
    ["bytes that are no protobuf", new Uint8Array(64).fill(0xff)],
    ["a length beyond the end", Uint8Array.of(0x0a, 0x7f, 0x00)],
    ["an unknown group nested a hundred thousand deep", new Uint8Array(100_000).fill(0x7b)],
  ];
  for (const [what, bytes] of malformed) {
    test(`is refused as MESSAGE_MALFORMED: ${what}`, async () => {
      const error = await submitBytes(bytes);
      assert.equal(error?.reason, "MESSAGE_MALFORMED");
      assert.equal(error?.status, "INVALID_ARGUMENT");
    });
  }

  test("is refused as MESSAGE_TOO_LARGE with 10 MB from a participant", async () => {
    const error = await submitBytes(new Uint8Array(10_000_000));
    assert.equal(error?.reason, "MESSAGE_TOO_LARGE");
    assert.equal(error?.status, "INVALID_ARGUMENT");
    assert.equal(error?.retryable, false);
    assert.deepEqual(error?.metadata, { bytes: "10000000", limit: "4194304" });
  });

  test("is refused above what anybody may send", async () => {
    const error = await submitBytes(new Uint8Array(33 * 1024 * 1024));
    assert.equal(error?.reason, "MESSAGE_TOO_LARGE");
    assert.equal(error?.status, "INVALID_ARGUMENT");
  });
});
