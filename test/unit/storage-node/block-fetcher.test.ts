import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  answerTimeoutMs,
  BlockFetcher,
  blameMs,
  patienceMs,
} from "../../../src/storage-node/block-fetcher.js";

/** A fetcher with a clock and links of its own. */
class World {
  nowMs = 0;
  headHeight = 0;
  readonly linked = new Set(["a", "b", "c"]);
  readonly requests: string[] = [];
  readonly blamed: string[] = [];
  readonly fetcher = new BlockFetcher({
    headHeight: () => this.headHeight,
    monotonicMs: () => this.nowMs,
    request: (managerId, fromHeight) => {
      if (!this.linked.has(managerId)) return false;
      this.requests.push(`${managerId} ${fromHeight}`);
      return true;
    },
    onBlamed: (managerId) => this.blamed.push(managerId),
  });

  pass(ms: number): void {
    this.nowMs += ms;
    this.fetcher.tick();
  }

  /** An answer with blocks up to a height. */
  answer(managerId: string, height: number): void {
    assert.notEqual(this.fetcher.begin(managerId), undefined);
    this.headHeight = height;
    this.fetcher.onAppended();
    this.fetcher.finish(managerId);
  }
}

describe("a node that hears of blocks that it lacks", () => {
  test("waits for one that may be on its way, and then asks for it", () => {
    const world = new World();
    world.fetcher.onHeight("a", 1);
    world.pass(patienceMs - 1);
    assert.deepEqual(world.requests, []);
    world.pass(1);
    assert.deepEqual(world.requests, ["a 1"]);
  });

  test("asks at once when the block does not come by itself", () => {
    const world = new World();
    world.fetcher.onHeight("a", 1, true);
    assert.deepEqual(world.requests, ["a 1"]);
  });

  test("asks nobody when the block has come", () => {
    const world = new World();
    world.fetcher.onHeight("a", 1);
    world.headHeight = 1;
    world.fetcher.onAppended();
    world.pass(10 * patienceMs);
    assert.deepEqual(world.requests, []);
    assert.ok(!world.fetcher.missesBlocks);
  });

  test("is not urgent about later blocks because it was about an earlier one", () => {
    const world = new World();
    world.fetcher.onHeight("a", 1, true);
    world.answer("a", 1);
    world.fetcher.onHeight("a", 2);
    assert.deepEqual(world.requests, ["a 1"]);
  });

  test("asks one manager at a time, and goes on until it has all", () => {
    const world = new World();
    world.fetcher.onHeight("a", 100, true);
    world.fetcher.onHeight("b", 120, true);
    world.pass(10);
    assert.deepEqual(world.requests, ["a 1"]);
    world.answer("a", 50);
    assert.deepEqual(world.requests, ["a 1", "b 51"]);
    world.answer("b", 120);
    world.pass(60_000);
    assert.equal(world.requests.length, 2);
  });

  test("takes no answer from somebody whom it did not ask, nor a second one", () => {
    const world = new World();
    world.fetcher.onHeight("a", 1, true);
    assert.equal(world.fetcher.begin("b"), undefined);
    assert.equal(world.fetcher.begin("a"), 1);
    assert.equal(world.fetcher.begin("a"), undefined);
  });

  test("asks the next manager when one is silent, and leaves that one alone for a while", () => {
    const world = new World();
    world.fetcher.onHeight("a", 9, true);
    world.fetcher.onHeight("b", 5);
    world.pass(answerTimeoutMs);
    assert.deepEqual(world.blamed, ["a"]);
    assert.deepEqual(world.requests, ["a 1", "b 1"]);
    world.answer("b", 5);
    world.pass(blameMs - 1);
    assert.equal(world.requests.length, 2);
    world.pass(1);
    world.pass(patienceMs);
    assert.deepEqual(world.requests.slice(2), ["a 6"]);
  });

  test("asks a liar that claims the most only after those who have not failed", () => {
    const world = new World();
    world.fetcher.onHeight("a", 1_000_000, true);
    assert.equal(world.fetcher.begin("a"), 1);
    world.fetcher.finish("a", "the blocks do not hold");
    world.fetcher.onHeight("b", 10, true);
    for (const height of [5, 8, 10]) {
      world.nowMs += blameMs / 2;
      world.answer("b", height);
    }
    assert.deepEqual(world.requests, ["a 1", "b 1", "b 6", "b 9", "a 11"]);
  });

  test("does not count what a liar claims as missing while it is blamed", () => {
    const world = new World();
    world.fetcher.onHeight("a", 1_000, true);
    assert.ok(world.fetcher.missesBlocks && world.fetcher.behind);
    world.fetcher.begin("a");
    world.fetcher.finish("a", "no blocks");
    assert.ok(!world.fetcher.missesBlocks && !world.fetcher.behind);
  });

  test("asks another one when the link goes down before the answer", () => {
    const world = new World();
    world.fetcher.onHeight("b", 3, true);
    world.fetcher.onHeight("a", 3);
    world.linked.delete("b");
    world.fetcher.onDisconnected("b");
    assert.deepEqual(world.requests, ["b 1", "a 1"]);
    assert.deepEqual(world.blamed, []);
  });

  test("tries again when nobody is linked yet", () => {
    const world = new World();
    world.linked.clear();
    world.fetcher.onHeight("a", 3, true);
    assert.deepEqual(world.requests, []);
    world.linked.add("a");
    world.pass(50);
    assert.deepEqual(world.requests, ["a 1"]);
  });
});
