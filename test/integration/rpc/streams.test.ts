import assert from "node:assert/strict";
import { constants } from "node:http2";
import { after, before, describe, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { BroadcastService } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import {
  type VoteRequest,
  type VoteResponseSchema,
  VoteService,
} from "../../../src/gen/bss/v1/vote_pb.js";
import { streamBelow } from "../../../src/rpc/bounds/grpc-internals.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { identityOfBytes, methodPath } from "../../../src/rpc/message-codec.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import type { CallContext, ServerStream } from "../../../src/rpc/server/handlers.js";
import { rpcErrorOf } from "../../../src/rpc/status-details.js";
import { emptyMessage, RawCaller } from "../../support/raw-caller.js";
import { RpcConsortium, rpcErrorFrom, until } from "../../support/rpc-consortium.js";

describe("a server stream", () => {
  let consortium: RpcConsortium;
  let address = "";
  let sent = 0;
  let aborted = false;
  const events: string[] = [];

  before(async () => {
    consortium = await RpcConsortium.create();
    const handlers = {
      async *watchBlocks(request: { fromHeight: bigint }, context: CallContext) {
        context.signal.addEventListener("abort", () => {
          aborted = true;
        });
        if (request.fromHeight === 3n) {
          for (const height of [1n, 2n, 3n]) yield { block: { height } };
          return;
        }
        if (request.fromHeight === 4n) {
          yield { block: { height: 1n } };
          throw new RpcError("NODE_HALTED", "the ledger forks");
        }
        for (;;) {
          sent += 1;
          yield { block: { blockId: new Uint8Array(100_000) } };
        }
      },
    };
    const metrics = {
      methodServed() {},
      callEnded: (_service: string, method: string, status: string) =>
        events.push(`${method} ${status}`),
      streamOpened: () => events.push("opened"),
      streamClosed: () => events.push("closed"),
    };
    ({ address } = await consortium.serve(QueryService, handlers, { metrics }));
  });
  after(() => consortium.close());

  async function client() {
    return createClient(QueryService, await consortium.connect(address, "auditor", "auditor-1"));
  }

  test("ends when the handler has ended", async () => {
    const heights: unknown[] = [];
    for await (const { block } of (await client()).watchBlocks({ fromHeight: 3n })) {
      heights.push(block?.height);
    }
    assert.deepEqual(heights, [1n, 2n, 3n]);
    await until(() => events.includes("closed"));
    assert.deepEqual(events, ["opened", "WatchBlocks OK", "closed"]);
  });

  test("delivers what came before an error, then the error", async () => {
    const heights: unknown[] = [];
    const read = async () => {
      for await (const { block } of (await client()).watchBlocks({ fromHeight: 4n })) {
        heights.push(block?.height);
      }
    };
    const error = await rpcErrorFrom(read());
    assert.equal(error.reason, "NODE_HALTED");
    assert.deepEqual(heights, [1n]);
  });

  test("waits for a slow reader, and stops when the reader has gone", async () => {
    sent = 0;
    aborted = false;
    let received = 0;
    for await (const _ of (await client()).watchBlocks({ fromHeight: 0n })) {
      received += 1;
      if (received === 3) break;
      let before = -1;
      while (before !== sent) {
        before = sent;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    // 16 messages each in the buffers of both ends, and some in flow control: far from endless.
    assert.ok(sent < 200, `${sent} messages were sent to a reader of ${received}`);
    await until(() => aborted);
  });
});

describe("a bidirectional stream", () => {
  let consortium: RpcConsortium;
  let address = "";
  let handler: (
    context: CallContext,
    stream: ServerStream<VoteRequest, MessageInitShape<typeof VoteResponseSchema>>,
  ) => Promise<void> = async () => {};

  before(async () => {
    consortium = await RpcConsortium.create();
    const server = (await consortium.server({ limits: { streamsPerPeerMax: 2 } }))
      .implement(VoteService, { vote: (context, stream) => handler(context, stream) })
      .implement(BroadcastService, {
        submitStream: async (_context, stream) => {
          for await (const { requestId } of stream.messages) {
            await stream.write({ requestId });
          }
        },
      });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    address = `127.0.0.1:${port}`;
  });
  after(() => consortium.close());

  async function participant(id = "participant-1") {
    const channel = await consortium.connect(address, "participant", id);
    return { channel, client: createClient(BroadcastService, channel) };
  }

  async function manager() {
    return createClient(VoteService, await consortium.connect(address, "manager", "manager-2"));
  }

  test("carries messages both ways in order and ends in good order", async () => {
    const stream = (await participant()).client.submitStream();
    await stream.opened;
    const wanted = Array.from({ length: 500 }, (_, index) => BigInt(index));
    const sending = (async () => {
      for (const requestId of wanted) assert.ok(await stream.write({ requestId }));
      stream.end();
    })();
    const got: bigint[] = [];
    for await (const message of stream.messages) got.push(message.requestId);
    await sending;
    assert.deepEqual(got, wanted);
    assert.equal(await stream.write({ requestId: 1n }), false);
    assert.equal(stream.offer({ requestId: 1n }), false);
  });

  test("carries what was written before it was admitted ahead of what comes after", async () => {
    const stream = (await participant()).client.submitStream();
    const wanted = Array.from({ length: 60 }, (_, index) => BigInt(index));
    for (const requestId of wanted.slice(0, 20)) assert.ok(stream.offer({ requestId }));
    await stream.opened;
    for (const requestId of wanted.slice(20, 40)) assert.ok(stream.offer({ requestId }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const requestId of wanted.slice(40)) assert.ok(stream.offer({ requestId }));
    stream.end();
    const got: bigint[] = [];
    for await (const message of stream.messages) got.push(message.requestId);
    assert.deepEqual(got, wanted);
  });

  test("is written to HTTP/2 itself once it is open and nothing is on its way", async () => {
    const { channel } = await participant();
    const call = channel.grpcClient.makeBidiStreamRequest(
      methodPath(BroadcastService.method.submitStream),
      identityOfBytes,
      identityOfBytes,
    );
    call.on("error", () => {});
    const below: boolean[] = [streamBelow(call) !== undefined];
    await new Promise((resolve) => call.once("metadata", resolve));
    below.push(streamBelow(call) !== undefined);
    call.write(Buffer.alloc(0));
    below.push(streamBelow(call) !== undefined);
    await until(() => streamBelow(call) !== undefined);
    assert.deepEqual(below, [false, true, false]);
    call.cancel();
  });

  test("opens before the first message", async () => {
    handler = async (context) => {
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    };
    const stream = (await manager()).vote();
    await stream.opened;
    stream.cancel();
    const read = async () => {
      for await (const _ of stream.messages);
    };
    assert.equal((await rpcErrorFrom(read())).reason, "CANCELLED");
  });

  test("ends the handler's messages and aborts its signal when the caller has gone", async () => {
    let ended: boolean | undefined;
    handler = async (context, stream) => {
      for await (const _ of stream.messages);
      ended = context.signal.aborted;
      assert.equal(await stream.write({}), false);
      assert.equal(stream.offer({}), false);
    };
    const stream = (await manager()).vote();
    await stream.opened;
    stream.cancel();
    await until(() => ended !== undefined);
    assert.equal(ended, true);
    assert.deepEqual(consortium.internalErrors, []);
  });

  test("tells a half-close from a caller that has gone", async () => {
    let ended: boolean | undefined;
    handler = async (context, stream) => {
      for await (const _ of stream.messages);
      ended = context.signal.aborted;
    };
    const stream = (await manager()).vote();
    stream.end();
    for await (const _ of stream.messages);
    assert.equal(ended, false);
  });

  test("fails with the handler's error, with all of its details", async () => {
    handler = async () => {
      throw new RpcError("TOO_MANY_IN_FLIGHT", "slow down", { retryAfterMs: 750 });
    };
    const stream = (await manager()).vote();
    const read = async () => {
      for await (const _ of stream.messages);
    };
    const error = await rpcErrorFrom(read());
    assert.equal(error.reason, "TOO_MANY_IN_FLIGHT");
    assert.equal(error.retryAfterMs, 750);
  });

  test("offers no more than its queue holds to a peer that does not read", async () => {
    let offered = 0;
    let over = false;
    handler = async (context, stream) => {
      const block = { block: { header: new Uint8Array(1 << 20) } };
      while (offered < 1_000 && stream.offer({ message: { case: "body", value: { block } } })) {
        offered += 1;
      }
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      over = true;
    };
    const stream = (await manager()).vote();
    await stream.opened;
    await until(() => offered > 0);
    stream.cancel();
    await until(() => over);
    assert.ok(offered >= 32 && offered <= 100, `${offered} MiB were queued`);
  });

  test("is refused beyond the number that one caller may have, until one is closed", async () => {
    const { client } = await participant("participant-2");
    const first = client.submitStream();
    const second = client.submitStream();
    await Promise.all([first.opened, second.opened]);
    const error = await rpcErrorFrom(client.submitStream().opened);
    assert.equal(error.reason, "STREAMS_EXHAUSTED");
    assert.equal(error.status, "RESOURCE_EXHAUSTED");
    assert.ok(error.retryAfterMs > 0);
    await (await participant("participant-3")).client.submitStream().opened;
    first.cancel();
    for (let open = false; !open; ) {
      const next = client.submitStream();
      open = await next.opened.then(
        () => true,
        () => false,
      );
      next.cancel();
    }
    second.cancel();
  });

  test("gives its place back when its caller resets it, though messages are unread", async () => {
    let admitted = 0;
    let over = 0;
    handler = async (context) => {
      admitted += 1;
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      over += 1;
    };
    const tls = consortium.authority.tls(await consortium.certificateOf("manager", "manager-3"));
    const caller = await RawCaller.dial(Number(address.split(":")[1]), tls, 65_535);
    for (let call = 1; call <= 5; call++) {
      const stream = caller.call("bss.v1.VoteService/Vote", { more: true });
      await until(() => admitted === call);
      await new Promise((resolve) => stream.write(emptyMessage, resolve));
      stream.close(constants.NGHTTP2_NO_ERROR);
      await until(() => over === call);
    }
    caller.close();
    assert.deepEqual(consortium.internalErrors, []);
  });

  test("is ended with MESSAGE_MALFORMED after bytes that are no message", async () => {
    const { channel } = await participant("participant-4");
    const call = channel.grpcClient.makeBidiStreamRequest(
      "/bss.v1.BroadcastService/SubmitStream",
      identityOfBytes,
      identityOfBytes,
    );
    call.on("data", () => {});
    call.write(Buffer.of(0x12, 0x7f));
    const error = await new Promise<RpcError>((resolve) => {
      call.on("error", (thrown) => resolve(rpcErrorOf(thrown)));
    });
    assert.equal(error.reason, "MESSAGE_MALFORMED");
  });

  test("is ended with MESSAGE_TOO_LARGE after a message above the caller's limit", async () => {
    const { client } = await participant("participant-5");
    const stream = client.submitStream();
    await stream.write({ submission: { header: new Uint8Array(5_000_000) } });
    const read = async () => {
      for await (const _ of stream.messages);
    };
    assert.equal((await rpcErrorFrom(read())).reason, "MESSAGE_TOO_LARGE");
  });

  test("may carry larger messages between managers", async () => {
    let bytes = 0;
    handler = async (_context, stream) => {
      for await (const message of stream.messages) {
        if (message.message.case === "vote") bytes = message.message.value.signature.length;
      }
    };
    const stream = (await manager()).vote();
    const signature = new Uint8Array(10_000_000);
    await stream.write({ message: { case: "vote", value: { signature } } });
    stream.end();
    for await (const _ of stream.messages);
    assert.equal(bytes, 10_000_000);
  });
});

describe("unary calls in flight", () => {
  test("are refused beyond the number that one caller may have", async () => {
    const consortium = await RpcConsortium.create();
    const release: (() => void)[] = [];
    const getStatus = () =>
      new Promise<object>((resolve) => {
        release.push(() => resolve({}));
      });
    const limits = { callsPerPeerMax: 2 };
    const { address } = await consortium.serve(QueryService, { getStatus }, { limits });
    const channel = await consortium.connect(address, "auditor", "auditor-1");
    const client = createClient(QueryService, channel);
    const running = [client.getStatus({}), client.getStatus({})];
    await until(() => release.length === 2);
    const error = await rpcErrorFrom(client.getStatus({}));
    assert.equal(error.reason, "TOO_MANY_IN_FLIGHT");
    assert.deepEqual(error.metadata, { limit: "2" });
    for (const finish of release.splice(0)) finish();
    await Promise.all(running);
    const next = client.getStatus({});
    await until(() => release.length === 1);
    release[0]?.();
    await next;
    await consortium.close();
  });
});
