/** How far a stream is read ahead of whoever takes its messages, at either end. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type VoteRequest,
  type VoteResponseSchema,
  VoteService,
} from "../../../src/gen/bss/v1/vote_pb.js";
import type { ClientStream } from "../../../src/rpc/channels/client-stream.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import type { ServerStream } from "../../../src/rpc/server/handlers.js";
import { RpcConsortium, until } from "../../support/rpc-consortium.js";

type Response = MessageInitShape<typeof VoteResponseSchema>;

/** Longer than the windows of HTTP/2, so that a message that was sent was read at the other end. */
const blockId = new Uint8Array(300_000);
const messages = 20;

describe("a stream of which nobody takes the messages", () => {
  let consortium: RpcConsortium;
  let address = "";
  let serve = async (_stream: ServerStream<VoteRequest, Response>): Promise<void> => {};

  before(async () => {
    consortium = await RpcConsortium.create();
    ({ address } = await consortium.serve(VoteService, { vote: (_, stream) => serve(stream) }));
  });
  after(() => consortium.close());

  async function vote(): Promise<ClientStream<MessageInitShape<never>, unknown>> {
    const channel = await consortium.connect(address, "manager", "manager-2");
    return createClient(VoteService, channel).vote() as never;
  }

  /** Writes until there is no room for a while; `sent` counts. */
  async function writeAll(write: () => Promise<boolean>, sent: { count: number }): Promise<void> {
    while (sent.count < messages && (await write())) sent.count += 1;
  }

  const settled = () => new Promise((resolve) => setTimeout(resolve, 200));

  test("is read one message ahead by a server, and goes on when they are taken", async () => {
    let go = () => {};
    let taken = 0;
    const waiting = new Promise<void>((resolve) => {
      go = resolve;
    });
    serve = async (stream) => {
      for await (const _ of stream.messages) {
        taken += 1;
        await waiting;
      }
    };
    const stream = await vote();
    await stream.opened;
    const sent = { count: 0 };
    const request = { message: { case: "fetchBody", value: { height: 1n, blockId } } };
    const writing = writeAll(() => stream.write(request as never), sent);
    await until(() => taken === 1);
    await settled();
    assert.equal(taken, 1);
    assert.ok(sent.count <= 4, `${sent.count} messages were sent`);
    go();
    await writing;
    stream.end();
    await until(() => taken === messages);
    stream.cancel();
  });

  test("is read one message ahead by a caller, and goes on when they are taken", async () => {
    const sent = { count: 0 };
    serve = (stream) =>
      writeAll(
        () => stream.write({ message: { case: "body", value: { block: { records: [blockId] } } } }),
        sent,
      );
    const stream = await vote();
    await stream.opened;
    await until(() => sent.count > 0);
    let taken = 0;
    for await (const _ of stream.messages) {
      taken += 1;
      if (taken > 1) continue;
      await settled();
      assert.ok(sent.count <= 4, `${sent.count} messages were sent`);
    }
    assert.equal(taken, messages);
  });
});
