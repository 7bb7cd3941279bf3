import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { CallLimiter, CallRates } from "../../../../src/rpc/bounds/call-limits.js";
import { defaultRpcLimits } from "../../../../src/rpc/bounds/server-limits.js";
import type { Identity, Role } from "../../../../src/rpc/tls/tls-identity.js";

describe("the rates of calls", () => {
  let nowMs = 0;
  let ended = 0;
  let rates: CallRates;

  beforeEach(() => {
    nowMs = 0;
    ended = 0;
    const member = { perSecond: 10, burst: 20 };
    const unknown = { perSecond: 1, burst: 2 };
    rates = new CallRates({
      limits: { ...defaultRpcLimits.callRates, member, unknown, invited: member },
      monotonicMs: () => nowMs,
    });
  });

  const identity = (role: Role, id: string): Identity => ({ role, id });
  const take = (of: Identity) => rates.take(of, () => (ended += 1));
  const alice = identity("participant", "alice");

  function calls(of: Identity, count: number): number {
    let refused = 0;
    for (let i = 0; i < count; i++) {
      try {
        take(of);
      } catch {
        refused += 1;
      }
    }
    return refused;
  }

  test("let through a burst and then a rate, for each caller", () => {
    assert.equal(calls(alice, 20), 0);
    assert.throws(() => take(alice), { reason: "CALLS_TOO_FREQUENT", retryAfterMs: 100 });
    assert.equal(calls(identity("participant", "bob"), 20), 0);
    nowMs = 1_000;
    // The refused one has cost as much as the others.
    assert.equal(calls(alice, 10), 1);
    assert.equal(ended, 0);
  });

  test("end the connection of who heeds no refusal, and let it come back", () => {
    calls(alice, 30);
    assert.equal(ended, 0);
    calls(alice, 30);
    assert.ok(ended > 0);
    nowMs = 3_000;
    assert.equal(calls(alice, 5), 0);
  });

  test("are low for peers, which keep their streams, and let them open these again and again", () => {
    const { burst, perSecond } = defaultRpcLimits.callRates.peer;
    for (const role of ["manager", "storage"] as const) {
      assert.equal(calls(identity(role, "a"), burst), 0);
      assert.equal(calls(identity(role, "a"), 1), 1);
      assert.equal(calls(identity(role, "b"), 1), 0);
    }
    // Two streams, opened again every quarter of a second.
    for (nowMs = 60_000; nowMs < 120_000; nowMs += 250) {
      assert.equal(calls(identity("manager", "a"), 2), 0);
    }
    assert.ok(perSecond < defaultRpcLimits.callRates.member.perSecond);
  });

  test("are one for all who are invited", () => {
    assert.equal(calls(identity("invited", "a"), 20), 0);
    assert.equal(calls(identity("invited", "b"), 1), 1);
  });

  test("of callers that are nobody known are counted by address", () => {
    const refuse = (address: string) => rates.refusedUnknown(address, () => (ended += 1));
    for (let i = 0; i < 3; i++) refuse("192.0.2.1");
    assert.equal(ended, 0);
    refuse("192.0.2.1");
    assert.equal(ended, 1);
    refuse("192.0.2.2");
    assert.equal(ended, 1);
  });

  test("by default let 1,000 storage nodes behind one address come back at once", () => {
    for (let i = 0; i < 1_000; i++) assert.equal(calls(identity("storage", `node-${i}`), 20), 0);
  });
});

describe("the call limiter", () => {
  const limits = { ...defaultRpcLimits, streamsPerPeerMax: 1, callsPerPeerMax: 2 };
  const alice = { role: "participant", id: "alice" } as const;

  test("counts streams by method and identity", () => {
    const limiter = new CallLimiter(limits);
    const release = limiter.acquire(alice, "a/B", "stream");
    assert.throws(() => limiter.acquire(alice, "a/B", "stream"), { reason: "STREAMS_EXHAUSTED" });
    limiter.acquire(alice, "a/C", "stream");
    limiter.acquire({ ...alice, id: "bob" }, "a/B", "stream");
    limiter.acquire({ ...alice, role: "manager" }, "a/B", "stream");
    release();
    release();
    limiter.acquire(alice, "a/B", "stream");
    assert.throws(() => limiter.acquire(alice, "a/B", "stream"), { reason: "STREAMS_EXHAUSTED" });
  });

  test("counts unary calls by identity, whatever their method", () => {
    const limiter = new CallLimiter(limits);
    limiter.acquire(alice, "a/B", "unary");
    limiter.acquire(alice, "a/C", "unary");
    assert.throws(() => limiter.acquire(alice, "a/D", "unary"), { reason: "TOO_MANY_IN_FLIGHT" });
  });

  test("counts all who hold invitations as one", () => {
    const limiter = new CallLimiter({ ...limits, callsOfInvitedMax: 3 });
    const call = (id: string) => limiter.acquire({ role: "invited", id }, "a/B", "unary");
    const [release] = [call("a"), call("b"), call("c")];
    assert.throws(() => call("d"), { reason: "TOO_MANY_IN_FLIGHT" });
    release?.();
    call("d");
  });
});
