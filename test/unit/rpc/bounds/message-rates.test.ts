import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { MessageRates } from "../../../../src/rpc/bounds/message-rates.js";
import type { Identity } from "../../../../src/rpc/tls/tls-identity.js";

describe("the messages on a storage node's streams", () => {
  const node: Identity = { role: "storage", id: "node-1" };
  const limit = { perSecond: 10, burst: 5 };
  let nowMs = 0;
  let waits: number[] = [];
  let due: (() => void)[] = [];
  let cancelled = 0;
  let rates: MessageRates;

  beforeEach(() => {
    nowMs = 0;
    [waits, due, cancelled] = [[], [], 0];
    rates = new MessageRates(limit, {
      monotonicMs: () => nowMs,
      after: (delayMs, work) => {
        waits.push(delayMs);
        due.push(work);
        const cancel = () => {
          cancelled += 1;
        };
        return { cancel };
      },
    });
  });

  const take = (identity: Identity, { signal } = new AbortController()) =>
    rates.take(identity, signal);

  test("are taken at once as long as there are few", () => {
    for (let i = 0; i < limit.burst; i++) assert.equal(take(node), undefined);
    for (let i = 0; i < 50; i++) {
      nowMs += 1_000 / limit.perSecond;
      assert.equal(take(node), undefined);
    }
    assert.deepEqual(waits, []);
  });

  test("wait for each other when they come faster, on however many streams", async () => {
    for (let i = 0; i < limit.burst; i++) take(node);
    const waiting = [take(node), take(node), take(node)];
    assert.deepEqual(waits, [100, 200, 300]);
    for (const work of due) work();
    await Promise.all(waiting);
  });

  test("wait no longer than their call", async () => {
    for (let i = 0; i < limit.burst; i++) take(node);
    const call = new AbortController();
    const waiting = take(node, call);
    assert.ok(waiting);
    call.abort();
    await waiting;
    assert.equal(cancelled, 1);
  });

  test("of one node make no other one wait, and no manager", () => {
    for (let i = 0; i < 3 * limit.burst; i++) take(node);
    assert.equal(take({ role: "storage", id: "node-2" }), undefined);
    for (let i = 0; i < 3 * limit.burst; i++) {
      assert.equal(take({ role: "manager", id: "manager-2" }), undefined);
    }
  });
});
