import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EntryQueue } from "../../../../src/manager/submissions/entry-queue.js";

describe("the way into the pool", () => {
  let nowMs = 0;
  const queueOf = () => new EntryQueue(() => nowMs);
  const after = (ms: number) => {
    nowMs += ms;
  };

  test("takes as long as it took those that got there, for all that was before them", () => {
    const queue = queueOf();
    assert.equal(queue.msFor(1_000), 0, "nothing is known");
    const entries = ["a", "b"].map((participant) => queue.enter(participant, 100));
    const last = queue.enter("a", 300);
    after(6_000);
    last.arrive();
    assert.equal(queue.msFor(500), 5_000, "400 of a, 100 of b, and a second that all may take");
    assert.equal(queue.costUntil("b", 100), 300, "what has arrived is not before anybody");
    for (const { end } of entries) end();
    assert.equal(queue.costUntil("b", 100), 100);
  });

  test("forgets what was, as others get there sooner", () => {
    const queue = queueOf();
    const slow = queue.enter("a", 100);
    after(11_000);
    slow.arrive();
    assert.equal(queue.msFor(100), 10_000);
    for (let i = 0; i < 64; i++) queue.enter("a", 100).arrive();
    assert.ok(queue.msFor(100) < 500, `${queue.msFor(100)} ms`);
  });

  test("learns of those that give up that it takes longer, and never that it is quick", () => {
    const queue = queueOf();
    const first = queue.enter("a", 100);
    after(2_000);
    first.end();
    assert.equal(queue.msFor(100), 1_000);
    for (let i = 0; i < 100; i++) queue.enter("a", 100).end();
    assert.equal(queue.msFor(100), 1_000);
  });

  test("counts each once, however often it is said to be over", () => {
    const queue = queueOf();
    const [first, second] = [queue.enter("a", 100), queue.enter("a", 50)];
    first.arrive();
    first.end();
    first.end();
    assert.equal(queue.costOf("a"), 50);
    second.end();
    second.arrive();
    assert.equal(queue.costOf("a"), 0);
  });
});
