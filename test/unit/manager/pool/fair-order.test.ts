import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FairOrder, type Turn } from "../../../../src/manager/pool/fair-order.js";
import { Random } from "../../../simulation/random.js";

type Piece = readonly [causer: string, cost: number];

/** The order of pieces that come one after the other before any is served. */
function order(...pieces: readonly Piece[]): readonly string[] {
  const fair = new FairOrder();
  const turns = pieces.map(([causer, cost]) => {
    return { name: `${causer}${cost}`, turn: fair.enter(causer, cost) };
  });
  fair.place();
  return turns.sort((a, b) => a.turn.finish - b.turn.finish).map(({ name }) => name);
}

/** When a new piece of a causer would begin. */
function startOf(fair: FairOrder, causer: string): number {
  const turn = fair.enter(causer, 1);
  fair.place();
  return turn.finish - turn.cost;
}

describe("the fair order", () => {
  test("serves causers in turn, by what their pieces cost", () => {
    assert.deepEqual(order(["a", 5], ["a", 5], ["b", 1], ["b", 6]), ["b1", "a5", "b6", "a5"]);
  });

  test("keeps each causer's order, whatever the pieces cost", () => {
    assert.deepEqual(order(["a", 9], ["a", 1], ["b", 2]), ["b2", "a9", "a1"]);
  });

  test("is the order of arrival for equal times, and for one causer alone", () => {
    assert.deepEqual(order(["b", 1], ["a", 1], ["c", 1]), ["b1", "a1", "c1"]);
    assert.deepEqual(order(["a", 3], ["a", 1], ["a", 2]), ["a3", "a1", "a2"]);
    assert.deepEqual(order(), []);
  });

  test("lets what comes new pass a large piece with no more than the large piece's cost", () => {
    const fair = new FairOrder();
    const large = fair.enter("large", 10);
    let passed = 0;
    for (let i = 0; i < 100; i++) {
      const turn = fair.enter(`new-${i}`, 2);
      fair.place();
      if (turn.finish < large.finish) passed += 2;
      const among = fair.causerCount;
      fair.serve(turn, 2);
      fair.leave(turn);
      fair.advance(2, among);
    }
    assert.ok(passed > 0 && passed <= 20, `${passed} of two causers went before`);
  });

  test("lets what comes new wait for no more than one piece of what others served late", () => {
    const fair = new FairOrder();
    for (let i = 0; i < 3; i++) fair.enter("late", 10);
    fair.advance(1_000, 1);
    assert.equal(startOf(fair, "new"), 10);
  });

  test("lets what comes new pass a large piece of which others serve as much again elsewhere", () => {
    const fair = new FairOrder();
    const [first, second] = [fair.enter("large", 1_000), fair.enter("large", 1_000)];
    fair.enter("other", 1_000);
    // Another order than this one's: bits of the second piece, and never of the first.
    for (let served = 0; served < 900; served += 20) {
      fair.serve(second, 20);
      fair.advance(20, fair.causerCount);
      const small = fair.enter("small", 1);
      fair.place();
      assert.ok(small.finish < first.finish, `after ${served}`);
      fair.serve(small, 1);
      fair.leave(small);
      fair.advance(1, fair.causerCount + 1);
    }
  });

  test("goes on to the earliest start, and is no earlier for what waits beside it", () => {
    const fair = new FairOrder();
    const [first, second] = [fair.enter("a", 10), fair.enter("a", 10)];
    fair.serve(first, 10);
    fair.leave(first);
    fair.advance(1, 1);
    assert.equal(startOf(fair, "b"), 10);
    assert.equal(startOf(fair, "a"), 20, "behind its own");
    fair.giveBack(second, 4);
    assert.equal(startOf(fair, "a"), 17, "what will not be served is not waited for");
  });

  test("does not stand still for what was postponed", () => {
    const fair = new FairOrder();
    const [stuck, other] = [fair.enter("a", 1), fair.enter("b", 5)];
    fair.postpone(stuck);
    fair.enter("b", 5);
    fair.serve(other, 5);
    fair.leave(other);
    fair.advance(5, 2);
    assert.equal(startOf(fair, "c"), 5);
  });

  test("knows what each waits for, but for what was postponed", () => {
    const fair = new FairOrder();
    assert.deepEqual(fair.costs, []);
    const [, stuck] = [fair.enter("a", 4), fair.enter("a", 5)];
    const bit = fair.enter("b", 10);
    assert.deepEqual(fair.costs, [9, 10]);
    fair.postpone(stuck);
    assert.deepEqual(fair.costs, [4, 10]);
    fair.serve(bit, 7);
    assert.deepEqual(fair.costs, [4, 3]);
  });

  test("serves a single record after one piece of each other at most, as others serve too", () => {
    const random = new Random(1);
    const importers = ["a", "b", "c", "d", "e"];
    const costMax = 50;
    const fair = new FairOrder();
    let waiting: Turn[] = [];
    let single: { readonly turn: Turn; waited: number } | undefined;
    for (let step = 0; step < 20_000; step++) {
      for (const importer of importers) {
        if (waiting.filter(({ causer }) => causer === importer).length >= 4) continue;
        waiting.push(fair.enter(importer, 1 + random.below(costMax)));
      }
      if (single === undefined && random.below(10) === 0) {
        single = { turn: fair.enter("single", 1), waited: 0 };
        waiting.push(single.turn);
      }
      fair.place();
      waiting.sort((a, b) => a.finish - b.finish);
      // Others serve anything, and in bits; only what is served here has an order.
      const isHere = random.below(3) === 0;
      const turn = waiting[isHere ? 0 : random.below(waiting.length)];
      assert.ok(turn);
      const cost = random.below(2) === 0 ? turn.cost : Math.ceil(turn.cost / 2);
      const among = fair.causerCount;
      fair.serve(turn, cost);
      if (turn.cost === 0) {
        fair.leave(turn);
        waiting = waiting.filter((each) => each !== turn);
      }
      fair.advance(cost, among);
      if (turn === single?.turn) single = undefined;
      else if (single !== undefined && isHere) single.waited += cost;
      const waited = single?.waited ?? 0;
      assert.ok(waited <= importers.length * costMax, `step ${step}: ${waited} went before`);
    }
  });

  test("says what is served until a further piece is", () => {
    const fair = new FairOrder();
    fair.enter("a", 10);
    const large = fair.enter("b", 100);
    const vain = fair.enter("c", 3);
    fair.postpone(vain);
    assert.equal(fair.costUntil("a", 5), 30);
    assert.equal(fair.costUntil("new", 5), 15);
    assert.equal(fair.costUntil("b", 1), 111);
    fair.serve(large, 92);
    assert.equal(fair.costUntil("a", 5), 23);
    fair.grow(large, 1);
    assert.equal(fair.costUntil("a", 5), 24);
    fair.leave(large);
    assert.equal(fair.costUntil("a", 5), 15);
    fair.enter("c", 4);
    fair.postpone(vain);
    fair.leave(vain);
    assert.deepEqual([fair.costOf("c"), fair.costUntil("c", 3)], [4, 14]);
  });
});
