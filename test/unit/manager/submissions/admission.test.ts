import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FairOrder } from "../../../../src/manager/pool/fair-order.js";
import { Admission } from "../../../../src/manager/submissions/admission.js";

/** Blocks of 500 that take half a second, and what waits for them. */
class Queue {
  readonly order = new FairOrder();
  readonly admission: Admission;
  #nowMs = 0;

  constructor({ blocks = 3 } = {}) {
    const blockRecordsMax = () => 500;
    const monotonicMs = () => this.#nowMs;
    const pool = {
      waitingOf: (id: string) => this.order.costOf(id),
      costUntil: (id: string, cost: number) => this.order.costUntil(id, cost),
    };
    this.admission = new Admission({ pool, blockRecordsMax, monotonicMs });
    for (let made = 0; made < blocks; made++) this.block(500);
  }

  after(ms: number): void {
    this.#nowMs += ms;
  }

  block(records: number, tookMs = 500): void {
    this.after(tookMs);
    this.admission.onPlaced({ records, cost: records });
  }

  /** "in", or after how long to try again. */
  ask(participantId: string, cost: number): string | number {
    const refusal = this.admission.refusal(participantId, cost);
    if (refusal === undefined) return "in";
    assert.equal(refusal.reason, "POOL_SHARE_FULL");
    return refusal.retryAfterMs;
  }
}

describe("admission by the time that a submission would wait", () => {
  test("ends where the participant's queue takes 10 s, and says when it is half as long", () => {
    const queue = new Queue();
    queue.order.enter("a", 9_900);
    assert.equal(queue.ask("a", 100), "in");
    assert.equal(queue.ask("a", 101), 5_001);
    queue.order.enter("a", 2_000);
    assert.equal(queue.ask("a", 100), 7_000);
    queue.order.enter("a", 20_000);
    assert.equal(queue.ask("a", 100), 10_000, "at most");
  });

  test("counts of others what is served in turn with it", () => {
    const queue = new Queue();
    queue.order.enter("a", 4_000);
    queue.order.enter("b", 1_000_000);
    queue.order.enter("c", 500);
    assert.equal(queue.ask("a", 700), "in", "4,700 of a, as much of b, and all of c");
    assert.equal(queue.ask("a", 800), 5_100);
  });

  test("lets in whoever has nothing here, however much waits", () => {
    const queue = new Queue();
    for (let i = 0; i < 100; i++) queue.order.enter(`busy-${i}`, 1_000);
    assert.equal(queue.ask("new", 1_000), "in");
    const entry = queue.admission.enter("new", 1_000);
    assert.notEqual(queue.ask("new", 1_000), "in", "the first one is on its way into the pool");
    entry.end();
    assert.equal(queue.ask("new", 1_000), "in");
  });

  test("counts what of all participants is on its way into the pool", () => {
    const queue = new Queue();
    const enter = (id: string, cost: number) => queue.admission.enter(id, cost);
    enter("a", 1_000);
    for (let i = 0; i < 7; i++) enter(`busy-${i}`, 1_000);
    assert.equal(queue.ask("a", 1_000), "in", "9,000 in all");
    queue.order.enter("a", 1_500);
    assert.equal(queue.ask("a", 1_000), 5_500);
    assert.equal(queue.ask("new", 1_000), "in");
    enter("new", 10);
    assert.equal(queue.ask("new", 10), "in", "20 of each are not much");
  });

  test("asks whoever was let in again when its turn comes, by what is in the pool then", () => {
    const queue = new Queue();
    const inTurn = (participantId: string) =>
      queue.admission.refusalInTurn({ participantId, cost: 1_000 })?.retryAfterMs ?? "in";
    queue.admission.enter("a", 1_000);
    assert.equal(queue.ask("a", 1_000), "in");
    queue.order.enter("b", 20_000);
    queue.order.enter("a", 4_000);
    assert.equal(inTurn("a"), "in", "5,000 of each");
    queue.order.enter("a", 1_000);
    assert.equal(inTurn("a"), 7_000);
    assert.equal(inTurn("new"), "in");
  });

  test("counts how long it takes into the pool", () => {
    const queue = new Queue();
    const [first] = [queue.admission.enter("a", 1_000), queue.admission.enter("a", 1_000)];
    queue.after(4_000);
    first.arrive();
    queue.order.enter("a", 1_000);
    assert.equal(queue.ask("a", 250), "in", "3.75 s into the pool, then 2.25 s");
    assert.equal(queue.ask("a", 1_000), "in", "6 s, then 3 s");
    assert.equal(queue.ask("a", 1_500), 6_000, "7.5 s, then 3.5 s");
  });

  test("lets in what the next two blocks take, however slow they are", () => {
    const queue = new Queue();
    for (let made = 0; made < 16; made++) queue.block(500, 30_000);
    queue.order.enter("a", 900);
    assert.equal(queue.ask("a", 100), "in");
    assert.equal(queue.ask("a", 101), 10_000);
  });

  test("lets in what there is room for while nothing is known of the rate", () => {
    const queue = new Queue({ blocks: 0 });
    queue.order.enter("a", 1_000_000);
    assert.equal(queue.ask("a", 1), "in");
    queue.block(249);
    queue.block(249);
    assert.equal(queue.ask("a", 1), "in", "blocks that were not full say nothing");
    queue.block(250);
    queue.block(250);
    assert.equal(queue.ask("a", 1), 10_000);
  });
});
