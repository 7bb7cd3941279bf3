/** Callers that call more often than they may. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, beforeEach, describe, test } from "node:test";
import { QueryService } from "../../../src/gen/bss/v1/query_pb.js";
import { VerifyIntegrityService } from "../../../src/gen/bss/v1/verify_integrity_pb.js";
import type { ConnectionEnd } from "../../../src/rpc/bounds/server-connections.js";
import { defaultRpcLimits } from "../../../src/rpc/bounds/server-limits.js";
import { createClient } from "../../../src/rpc/channels/typed-client.js";
import { uriOf } from "../../support/pki.js";
import { RawCaller } from "../../support/raw-caller.js";
import { RpcConsortium, rpcErrorFrom, until } from "../../support/rpc-consortium.js";

const getStatus = "bss.v1.QueryService/GetStatus";

describe("a storage node that says too much", () => {
  let consortium: RpcConsortium;

  before(async () => {
    consortium = await RpcConsortium.create();
  });
  after(() => consortium.close());

  test("waits with what is too much, and no other node does", async () => {
    const storageMessages = { perSecond: 0.001, burst: 5 };
    const taken = new Map<string, number>();
    const { address } = await consortium.serve(
      VerifyIntegrityService,
      {
        verifyIntegrity: async ({ identity: { id } }, { messages }) => {
          for await (const _ of messages) taken.set(id, (taken.get(id) ?? 0) + 1);
        },
      },
      { limits: { storageMessages } },
    );
    const open = async (id: string) => {
      const channel = await consortium.connect(address, "storage", id);
      const stream = createClient(VerifyIntegrityService, channel).verifyIntegrity();
      await stream.opened;
      return stream;
    };
    const head = { message: { case: "head", value: { height: 1n } } } as const;
    const flooding = [await open("node-1"), await open("node-1")];
    for (let i = 0; i < 20; i++) {
      for (const stream of flooding) await stream.write(head);
    }
    await until(() => taken.get("node-1") === storageMessages.burst);
    const other = await open("node-2");
    for (let i = 0; i < storageMessages.burst; i++) await other.write(head);
    await until(() => taken.get("node-2") === storageMessages.burst);
    assert.equal(taken.get("node-1"), storageMessages.burst);
    for (const stream of [...flooding, other]) stream.cancel();
  });
});

describe("callers that call too often", () => {
  let consortium: RpcConsortium;
  let port = 0;
  let ended: ConnectionEnd[] = [];

  before(async () => {
    consortium = await RpcConsortium.create();
    const member = { perSecond: 0.001, burst: 20 };
    const unknown = { perSecond: 0.001, burst: 10 };
    const callRates = { ...defaultRpcLimits.callRates, member, unknown };
    const options = {
      limits: { callRates },
      onConnectionEnded: (cause: ConnectionEnd) => ended.push(cause),
    };
    ({ port } = await consortium.serve(QueryService, { getStatus: () => ({}) }, options));
  });
  beforeEach(() => {
    ended = [];
  });
  after(() => consortium.close());

  test("are refused with a reason and a time, and others are answered", async () => {
    const dial = async (id: string) => {
      const channel = await consortium.connect(`127.0.0.1:${port}`, "participant", id);
      return createClient(QueryService, channel);
    };
    const alice = await dial("alice");
    for (let i = 0; i < 20; i++) await alice.getStatus({});
    const error = await rpcErrorFrom(alice.getStatus({}));
    assert.equal(error.reason, "CALLS_TOO_FREQUENT");
    assert.ok(error.retryAfterMs > 0);
    await (await dial("bob")).getStatus({});
    assert.deepEqual(ended, []);
  });

  test("lose their connection when they go on", async () => {
    const tls = consortium.authority.tls(await consortium.certificateOf("participant", "carol"));
    const caller = await RawCaller.dial(port, tls, 65_535);
    for (let i = 0; i < 40; i++) caller.call(getStatus).resume();
    await until(() => caller.closed);
    assert.equal(ended[0], "calls");
  });

  test("lose it when they give their calls up at once", async () => {
    const tls = consortium.authority.tls(await consortium.certificateOf("participant", "frank"));
    const caller = await RawCaller.dial(port, tls, 65_535);
    const rounds = async () => {
      while (!caller.closed) {
        for (let i = 0; i < 10; i++) caller.call(getStatus).close();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await rounds();
    assert.equal(ended[0], "calls");
  });

  test("lose it when nobody is registered under their name", async () => {
    const certificate = await consortium.authority.issue({ uris: [uriOf("participant", "dan")] });
    const caller = await RawCaller.dial(port, consortium.authority.tls(certificate), 65_535);
    for (let i = 0; i < 30; i++) caller.call(getStatus).resume();
    await until(() => caller.closed);
    assert.equal(ended[0], "calls");
  });

  test("lose it when they call what no node has", async () => {
    const tls = consortium.authority.tls(await consortium.certificateOf("participant", "erin"));
    const caller = await RawCaller.dial(port, tls, 65_535);
    const first = caller.call("bss.v1.QueryService/Nothing");
    await Promise.race([once(first, "response"), once(first, "close")]);
    for (let i = 0; i < 30; i++) caller.call("x/Y").resume();
    await until(() => caller.closed);
    assert.equal(ended[0], "calls");
  });
});
