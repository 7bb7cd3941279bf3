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
    this.admission = new Admission({ pool: this.order, blockRecordsMax, monotonicMs });
    for (let made = 0; made < blocks; made++) this.block(500);
  }

  block(records: number, tookMs = 500): void {
    this.#nowMs += tookMs;
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
    entry.end();
    assert.equal(queue.ask("new", 1_000), "in");
    const [tenth, fifth] = [1_000.1, 2_000.2].map((cost) => queue.admission.enter("new", cost));
    tenth?.end();
    fifth?.end();
    assert.equal(queue.ask("new", 100), "in", "nothing is left of parts of a record");
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
