import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { SyncEvent } from "../../../src/sync/sync-events.js";
import { blameMsMax, blameMsMin, firstLimit, limitMax } from "../../../src/sync/sync-peers.js";
import {
  answerTimeoutMs,
  hedgeMs,
  requestsMax,
  retryMs,
  SyncPlan,
  windowBlocksMax,
} from "../../../src/sync/sync-plan.js";
import type { SyncBlock } from "../../../src/sync/sync-window.js";

const patienceMs = 400;
const mebibyte = 1024 * 1024;

/**
 * A node with a clock, links and a chain of its own; everything that the plan says is carried out.
 */
class Node {
  nowMs = 1_000;
  head = 10;
  faultsMax = 1;
  readonly linked = new Set(["a", "b", "c"]);
  readonly log: string[] = [];
  readonly appended: string[] = [];
  batch: readonly SyncBlock[] | undefined;
  plan = new SyncPlan<SyncBlock>({
    headHeight: () => this.head,
    isLinked: (peer) => this.linked.has(peer),
    faultsMax: () => this.faultsMax,
    patience: { blocks: 1, ms: patienceMs },
  });

  step(event: SyncEvent<SyncBlock>): void {
    for (const effect of this.plan.step(event, this.nowMs)) {
      switch (effect.kind) {
        case "ask":
          this.log.push(`ask ${effect.peer} ${effect.fromHeight}+${effect.limit}`);
          break;
        case "append":
          assert.equal(this.batch, undefined, "one batch is appended at a time");
          assert.equal(effect.blocks[0]?.height, this.head + 1);
          this.batch = effect.blocks;
          this.appended.push(`${effect.peer} ${effect.blocks.map(({ height }) => height)}`);
          break;
        case "blame":
          this.log.push(`blame ${effect.peer} ${effect.reason} ${effect.forMs}`);
          break;
        case "drop":
          this.log.push(`drop ${effect.peer}`);
      }
    }
  }

  claim(peer: string, height: number): void {
    this.step({ kind: "claim", peer, height, exact: true });
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.step({ kind: "tick" });
  }

  answer(peer: string, from: number, to: number, byteCount = 1_000): void {
    const blocks: SyncBlock[] = [];
    for (let height = from; height <= to; height++) blocks.push({ height, byteCount });
    this.step({ kind: "answer", peer, blocks, headHeight: 0 });
  }

  /** The batch that is being appended holds, or does up to a block. */
  finish(failure?: string, upTo = this.batch?.at(-1)?.height ?? 0): void {
    for (const { height } of this.batch ?? []) {
      if (height > upTo || height <= this.head) continue;
      this.head = height;
      this.step({ kind: "grown" });
    }
    this.batch = undefined;
    this.step(failure === undefined ? { kind: "appended" } : { kind: "appended", failure });
  }

  get asked(): readonly string[] {
    return this.log.filter((line) => line.startsWith("ask")).map((line) => line.slice(4));
  }

  get blamed(): readonly string[] {
    return this.log.filter((line) => line.startsWith("blame")).map((line) => line.slice(6));
  }

  get behind(): boolean {
    return this.plan.targetHeight(this.nowMs) > this.head;
  }
}

let node: Node;
beforeEach(() => {
  node = new Node();
});

describe("a node that hears of blocks", () => {
  test("does nothing while nobody is ahead", () => {
    node.claim("a", 10);
    node.claim("b", 3);
    node.pass(10_000);
    assert.deepEqual(node.log, []);
    assert.equal(node.plan.heightOf("b"), 3);
    assert.ok(!node.behind);
  });

  test("waits a moment for one that may be on its way, and then asks for it", () => {
    node.claim("a", 11);
    assert.ok(node.behind);
    node.pass(patienceMs - 1);
    assert.deepEqual(node.log, []);
    node.pass(1);
    assert.deepEqual(node.log, ["ask a 11+1"]);
  });

  test("asks at once when the block does not come by itself", () => {
    node.step({ kind: "claim", peer: "a", height: 11, urgent: true });
    assert.deepEqual(node.asked, ["a 11+1"]);
  });

  test("waits anew for each block that comes by itself", () => {
    node.claim("a", 11);
    node.pass(300);
    node.head = 11;
    node.step({ kind: "grown" });
    node.claim("a", 12);
    node.pass(300);
    assert.deepEqual(node.log, []);
  });

  test("asks nobody to whom there is no link, and them once there is", () => {
    node.linked.clear();
    node.claim("a", 13);
    node.pass(1_000);
    assert.deepEqual(node.log, []);
    node.linked.add("a");
    node.pass(50);
    assert.deepEqual(node.asked, ["a 11+3"]);
  });
});

describe("a node that is far behind", () => {
  test("asks several peers for different blocks, and appends them in their order", () => {
    for (const peer of ["a", "b", "c"]) node.claim(peer, 1_000);
    assert.deepEqual(node.asked, ["a 11+20", "b 31+20", "c 51+20"]);
    node.answer("b", 31, 50);
    assert.deepEqual(node.appended, []);
    node.answer("a", 11, 30);
    assert.deepEqual(node.appended, [
      "a 11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30",
    ]);
    node.finish();
    assert.equal(node.appended.length, 2);
    assert.match(node.appended.join(";"), /;b 31,32,/);
    node.finish();
    assert.equal(node.head, 50);
    assert.deepEqual(node.blamed, []);
  });

  test("asks a lone peer for the next blocks while the last ones are checked", () => {
    node.claim("a", 1_000);
    node.pass(1_000);
    node.answer("a", 11, 30);
    assert.equal(node.appended.length, 1);
    assert.equal(node.asked[1], "a 31+20");
  });

  test("asks for as many blocks as a peer ships in a second", () => {
    node.claim("a", 1_000);
    node.pass(100);
    node.answer("a", 11, 30);
    assert.equal(node.asked[1], `a 31+${limitMax}`);
    node.pass(1_400);
    node.answer("a", 31, 37);
    assert.match(node.asked[2] ?? "", /^a 38\+100$/, "the mean of its rates is still high");
    for (let from = 38; from < 60; from++) {
      node.pass(1_000);
      node.finish();
      node.answer("a", from, from);
    }
    assert.match(node.asked.at(-1) ?? "", /\+4$/);
  });

  test("takes what an answer lacks from the next one", () => {
    node.claim("a", 100);
    node.pass(1_000);
    node.answer("a", 11, 13);
    assert.equal(node.asked[1]?.split("+")[0], "a 14");
    assert.deepEqual(node.blamed, []);
  });

  test("holds a bounded number of blocks, and of requests", () => {
    for (const peer of ["a", "b", "c", "d", "e"]) {
      node.linked.add(peer);
      node.claim(peer, 100_000);
    }
    assert.equal(node.asked.length, requestsMax);
    let highest = 0;
    let rounds = 0;
    // The first block never comes.
    for (let next = node.asked.at(-1); next !== undefined; rounds++) {
      const before = node.asked.length;
      const [peer = "", range = ""] = next.split(" ");
      const [from = 0, count = 0] = range.split("+").map(Number);
      node.nowMs += 10;
      node.answer(peer, from, from + count - 1);
      highest = Math.max(highest, from + count - 1);
      next = node.asked.length > before ? node.asked.at(-1) : undefined;
    }
    assert.ok(rounds > 3);
    assert.ok(highest <= node.head + windowBlocksMax + limitMax, `asked up to ${highest}`);
  });

  test("holds a bounded number of bytes", () => {
    for (const peer of ["a", "b", "c"]) node.claim(peer, 100_000);
    node.nowMs += 20;
    node.answer("b", 31, 50, 0.9 * mebibyte);
    assert.equal(node.asked.length, 3, "18 MiB wait, and two answers more may come");
    node.answer("c", 51, 70, 100);
    assert.equal(node.asked.length, 4, "one answer takes the place of another");
  });
});

describe("a fast peer and a slow one", () => {
  test("get requests as many as they are fast", () => {
    node.claim("a", 1_000_000);
    node.claim("b", 1_000_000);
    const counts = { a: 0, b: 0 };
    const pending = new Map<string, { from: number; to: number; dueMs: number }>();
    let seen = 0;
    const note = () => {
      for (const line of node.asked.slice(seen)) {
        const [peer = "", range = ""] = line.split(" ");
        const [from = 0, count = 0] = range.split("+").map(Number);
        const ms = count * (peer === "a" ? 2 : 20);
        pending.set(peer, { from, to: from + count - 1, dueMs: node.nowMs + ms });
        if (peer === "a" || peer === "b") counts[peer] += count;
      }
      seen = node.asked.length;
    };
    note();
    while (node.nowMs < 60_000) {
      node.pass(10);
      note();
      for (const [peer, { from, to, dueMs }] of pending) {
        if (dueMs > node.nowMs) continue;
        pending.delete(peer);
        node.answer(peer, from, to);
        note();
      }
      if (node.batch !== undefined) node.finish();
      note();
    }
    assert.deepEqual(node.blamed, []);
    assert.ok(counts.a > 5 * counts.b, `${counts.a} of the fast one, ${counts.b} of the slow one`);
    assert.ok(counts.b > 0);
    assert.ok(node.head > 20_000, `${node.head} blocks in a minute`);
  });

  test("what everything waits for is asked of another one when it takes long", () => {
    node.claim("a", 15);
    node.claim("b", 15);
    node.pass(hedgeMs - 1);
    assert.deepEqual(node.asked, ["a 11+5"]);
    node.pass(1);
    assert.deepEqual(node.asked, ["a 11+5", "b 11+5"]);
    node.answer("b", 11, 15);
    node.finish();
    node.answer("a", 11, 15);
    node.pass(60_000);
    assert.equal(node.head, 15);
    assert.deepEqual(node.appended.length, 1);
    assert.deepEqual(node.blamed, []);
  });

  test("a peer below the least rate is left alone, and its blocks are used", () => {
    node.claim("a", 100);
    node.nowMs += 4_000;
    node.answer("a", 11, 12, 100);
    assert.deepEqual(node.blamed, [`a slow ${blameMsMin}`]);
    assert.equal(node.appended.length, 1);
  });
});

describe("a silent peer", () => {
  test("is left for another one, for a time that doubles", () => {
    node.claim("a", 12);
    node.pass(answerTimeoutMs);
    assert.deepEqual(node.blamed, [`a silent ${blameMsMin}`]);
    node.claim("b", 12);
    assert.deepEqual(node.asked, ["a 11+2", "b 11+2"]);
    for (let failures = 1; failures < 12; failures++) node.pass(blameMsMax + answerTimeoutMs);
    const times = node.blamed.filter((line) => line.startsWith("a")).map((l) => l.split(" ")[2]);
    assert.deepEqual(times.slice(0, 3), ["5000", "10000", "20000"]);
    assert.ok(times.every((ms) => Number(ms) <= blameMsMax));
  });

  test("cannot use an answer that comes too late for a later request", () => {
    node.claim("a", 30);
    node.pass(answerTimeoutMs);
    node.head = 20;
    node.pass(blameMsMin);
    assert.equal(node.asked.at(-1), "a 21+10");
    node.answer("a", 11, 30);
    assert.equal(node.log.at(-1), "drop a");
    node.answer("a", 21, 30);
    node.finish();
    assert.equal(node.head, 30);
    assert.equal(node.blamed.length, 1);
  });

  test("is not blamed when its link is gone", () => {
    node.claim("a", 30);
    node.claim("b", 30);
    node.linked.delete("a");
    node.pass(50);
    assert.deepEqual(node.asked, ["a 11+20", "b 11+20"].slice(0, 1).concat(node.asked.slice(1)));
    node.pass(answerTimeoutMs - 100);
    assert.deepEqual(node.blamed, []);
    assert.ok(node.asked.some((line) => line.startsWith("b 11+")));
  });

  test("that all are is asked again, the least bad one first", () => {
    node.claim("a", 20);
    node.claim("b", 20);
    const refuse = (peer: string) =>
      node.step({ kind: "answer", peer, blocks: [], headHeight: 20, malformed: "no" });
    refuse("a");
    refuse("b");
    assert.deepEqual(node.asked, ["a 11+10", "b 11+10"]);
    assert.ok(node.behind, "two of them say so, of whom one may lie");
    node.pass(retryMs - 1);
    assert.equal(node.asked.length, 2);
    node.pass(1);
    assert.deepEqual(node.asked.slice(2), ["a 11+10"]);
    refuse("a");
    node.pass(retryMs);
    assert.deepEqual(node.asked.slice(3), ["b 11+10"]);
    assert.equal(node.blamed.length, 3);
  });
});

describe("a lying peer", () => {
  test("is left when it sends blocks that were not asked for, or out of order", () => {
    for (const [from, to, used] of [
      [12, 14, 0],
      [9, 12, 0],
      [11, 31, 20],
    ] as const) {
      node = new Node();
      node.claim("a", 100);
      node.answer("a", from, to);
      assert.deepEqual(node.blamed, [`a malformed ${blameMsMin}`]);
      assert.equal(node.batch?.length ?? 0, used);
    }
  });

  test("is blamed for its own block, though another one has been asked since", () => {
    for (const peer of ["a", "b", "c"]) node.claim(peer, 1_000);
    node.answer("b", 31, 50);
    node.answer("a", 11, 30);
    node.finish();
    assert.ok(node.appended[1]?.startsWith("b "));
    const [, next = ""] =
      node.asked
        .filter((line) => line.startsWith("a "))
        .at(-1)
        ?.split(" ") ?? [];
    node.answer("a", Number.parseInt(next, 10), Number.parseInt(next, 10));
    node.finish("CERTIFICATE_INVALID", 40);
    assert.deepEqual(node.blamed, [`b invalid ${blameMsMin}`]);
    assert.equal(node.head, 40);
    node.answer("c", 51, 70);
    const again = node.asked.filter((line) => line.includes(" 41+"));
    assert.equal(again.length, 1);
    assert.ok(!again[0]?.startsWith("b"));
  });

  test("loses whatever else it has sent", () => {
    for (const peer of ["a", "b"]) node.claim(peer, 1_000);
    node.nowMs += 1_000;
    node.answer("a", 11, 30);
    const second = node.asked.at(-1)?.split(" ")[1]?.split("+")[0];
    node.answer("a", Number(second), Number(second) + 3);
    node.finish("no", 10);
    assert.deepEqual(node.appended.length, 1);
    assert.equal(node.head, 10);
    assert.deepEqual(node.blamed, [`a invalid ${blameMsMin}`]);
  });

  test("that claims a height that it does not ship keeps nobody behind", () => {
    node.claim("a", 10);
    node.claim("b", 1_000_000);
    assert.ok(node.behind, "it has not lied yet");
    node.step({ kind: "answer", peer: "b", blocks: [], headHeight: 1_000_000 });
    let behindMs = 0;
    for (let ms = 0; ms < 3_600_000; ms += 100) {
      const before = node.asked.length;
      node.nowMs += 100;
      node.claim("b", 1_000_000 + ms);
      if (node.asked.length > before) {
        node.step({ kind: "answer", peer: "b", blocks: [], headHeight: 1_000_000 });
      }
      if (node.behind) behindMs += 100;
    }
    assert.ok(behindMs <= answerTimeoutMs, `behind for ${behindMs} ms of an hour`);
    assert.ok(node.asked.length < 20, `asked ${node.asked.length} times`);
    assert.ok(node.blamed.every((line) => line.startsWith("b empty")));
  });

  test("is not asked again for what it does not hold, until it claims it again", () => {
    node.claim("a", 12);
    node.step({ kind: "answer", peer: "a", blocks: [], headHeight: 10 });
    node.pass(blameMsMax);
    assert.equal(node.asked.length, 1);
    node.claim("a", 12);
    assert.equal(node.asked.length, 2);
  });

  test("that claims and is silent keeps nobody behind either", () => {
    node.claim("a", 10);
    let behindMs = 0;
    for (let ms = 0; ms < 3_600_000; ms += 100) {
      node.nowMs += 100;
      node.claim("b", 1_000_000);
      if (node.behind) behindMs += 100;
    }
    assert.ok(behindMs <= 2 * answerTimeoutMs, `behind for ${behindMs} ms of an hour`);
  });

  for (const comesBack of [false, true]) {
    const then = comesBack ? "comes and goes" : "stays away";
    test(`that claims and ${then} keeps nobody behind either`, () => {
      node.claim("a", 10);
      let behindMs = 0;
      for (let ms = 0; ms < 3_600_000; ms += 100) {
        node.nowMs += 100;
        if (ms % 1_000 === 0 && (comesBack || ms === 0)) {
          node.linked.add("b");
          node.claim("b", 1_000_000);
        }
        node.step({ kind: "tick" });
        if (node.behind) behindMs += 100;
        if (ms % 1_000 === 500 && node.linked.delete("b")) node.step({ kind: "gone", peer: "b" });
      }
      assert.ok(behindMs <= 2 * answerTimeoutMs, `behind for ${behindMs} ms of an hour`);
    });
  }

  test("does not keep an honest one from being asked for blocks that there are", () => {
    node.claim("b", 1_000_000);
    node.claim("a", 40);
    assert.deepEqual(node.asked, ["b 11+20", "a 31+10"]);
    node.answer("a", 31, 40);
    node.pass(hedgeMs);
    node.answer("a", 11, 30);
    node.finish();
    node.finish();
    assert.equal(node.head, 40);
    assert.ok(node.blamed.every((line) => line.startsWith("b")));
  });

  test("is forgiven when its blocks hold again", () => {
    node.claim("a", 100);
    node.step({ kind: "answer", peer: "a", blocks: [], headHeight: 100, malformed: "no" });
    node.pass(blameMsMin);
    node.answer("a", 11, 30);
    node.finish();
    node.step({ kind: "answer", peer: "a", blocks: [], headHeight: 100, malformed: "no" });
    assert.deepEqual(node.blamed, [`a malformed ${blameMsMin}`, `a malformed ${blameMsMin}`]);
  });

  test("cannot have blocks taken that nobody asked for", () => {
    node.answer("a", 11, 12);
    node.claim("b", 12);
    node.answer("a", 11, 12);
    assert.deepEqual(node.log, ["drop a", `ask b 11+2`, "drop a"]);
    node.answer("b", 11, 12);
    assert.equal(node.appended.length, 1);
  });
});

describe("blocks that have come otherwise", () => {
  test("are no fault of who ships them", () => {
    node.claim("a", 12);
    node.head = 12;
    node.answer("a", 11, 12);
    assert.deepEqual(node.log, ["ask a 11+2"]);
    assert.deepEqual(node.appended, []);
  });

  test("are passed over in what waits", () => {
    node.claim("a", 15);
    node.head = 12;
    node.answer("a", 11, 15);
    assert.deepEqual(node.appended, ["a 13,14,15"]);
  });
});

test("a peer that has not been measured is asked for few blocks", () => {
  node.claim("a", 1_000);
  assert.deepEqual(node.asked, [`a 11+${firstLimit}`]);
});
