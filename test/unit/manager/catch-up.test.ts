import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { CertifiedManagerBlockSchema } from "../../../src/gen/bss/v1/block_pb.js";
import { type ManagerBlocks, ManagerBlocksSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { CatchUp } from "../../../src/manager/catch-up.js";

/** Blocks whose heights the fake ports read from their first record. */
function blocksOf(...heights: number[]): ManagerBlocks {
  const blocks = heights.map((height) =>
    create(CertifiedManagerBlockSchema, {
      block: { records: [new Uint8Array([height])] },
      certificates: {},
    }),
  );
  return create(ManagerBlocksSchema, { blocks });
}

describe("catching up", () => {
  let head: number;
  let nowMs: number;
  let asked: string[];
  let blamed: string[];
  let linked: Set<string>;
  /** Heights that are passed over, as their blocks are held already. */
  let held: Set<number>;
  let catchUp: CatchUp;

  beforeEach(() => {
    head = 10;
    nowMs = 1_000;
    asked = [];
    blamed = [];
    linked = new Set(["a", "b", "c"]);
    held = new Set();
    catchUp = new CatchUp({
      headHeight: () => head,
      monotonicMs: () => nowMs,
      request: (peer, from, limit) => {
        if (!linked.has(peer)) return false;
        asked.push(`${peer} from ${from}, ${limit}`);
        return true;
      },
      append: async (block) => {
        const height = block.records[0]?.[0];
        if (height !== undefined && held.has(height)) return undefined;
        if (height !== head + 1) return `not block ${head + 1}`;
        head += 1;
        return undefined;
      },
      onBlamed: (peer, reason) => blamed.push(`${peer}: ${reason}`),
    });
  });

  test("does nothing while nobody is ahead", () => {
    catchUp.onHead("a", 10);
    catchUp.onHead("b", 3);
    catchUp.tick();
    assert.equal(catchUp.behind, false);
    assert.deepEqual(asked, []);
    assert.equal(catchUp.heightOf("b"), 3);
  });

  test("waits a moment when one block is missing: it may be on its way", () => {
    catchUp.onHead("a", 11);
    assert.ok(catchUp.behind);
    nowMs += 399;
    catchUp.tick();
    assert.deepEqual(asked, []);
    nowMs += 1;
    catchUp.tick();
    assert.deepEqual(asked, ["a from 11, 50"]);
  });

  test("forgets the wait once the block has come by itself", () => {
    catchUp.onHead("a", 11);
    nowMs += 300;
    head = 11;
    catchUp.tick();
    nowMs += 300;
    catchUp.onHead("a", 12);
    assert.deepEqual(asked, []);
  });

  test("asks the highest peer with a link, one at a time, until nothing is missing", async () => {
    linked.delete("b");
    catchUp.onHead("b", 30);
    assert.deepEqual(asked, []);
    catchUp.onHead("c", 13);
    catchUp.onHead("a", 14);
    assert.deepEqual(asked, ["c from 11, 50"]);
    await catchUp.onBlocks("c", blocksOf(11, 12, 13));
    assert.equal(head, 13);
    assert.deepEqual(asked, ["c from 11, 50", "a from 14, 50"]);
    await catchUp.onBlocks("a", blocksOf(14));
    assert.equal(head, 14);
    assert.deepEqual(blamed, []);
  });

  test("drops answers that it did not ask for", async () => {
    await catchUp.onBlocks("a", blocksOf(11));
    catchUp.onHead("b", 12);
    await catchUp.onBlocks("a", blocksOf(11, 12));
    assert.equal(head, 10);
    await catchUp.onBlocks("b", blocksOf(11, 12));
    assert.equal(head, 12);
  });

  test("leaves a silent peer for the next one, and asks it again later", () => {
    catchUp.onHead("a", 20);
    catchUp.onHead("b", 15);
    nowMs += 4_999;
    catchUp.tick();
    assert.equal(asked.length, 1);
    nowMs += 1;
    catchUp.tick();
    assert.deepEqual(blamed, ["a: no answer to a request for blocks"]);
    assert.deepEqual(asked.slice(1), ["b from 11, 50"]);
    nowMs += 5_000;
    catchUp.tick();
    assert.equal(asked.length, 2, "both are to blame now");
    nowMs += 25_000;
    catchUp.tick();
    assert.deepEqual(asked.slice(2), ["a from 11, 50"]);
  });

  test("keeps what held of an answer, and leaves who sent the rest", async () => {
    catchUp.onHead("a", 20);
    catchUp.onHead("b", 20);
    await catchUp.onBlocks("a", blocksOf(11, 12, 99, 13));
    assert.equal(head, 12);
    assert.deepEqual(blamed, ["a: not block 13"]);
    assert.deepEqual(asked, ["a from 11, 50", "b from 13, 50"]);
  });

  test("leaves a peer that sends blocks without their parts", async () => {
    catchUp.onHead("a", 20);
    catchUp.onHead("b", 20);
    const empty = create(ManagerBlocksSchema, { blocks: [{}] });
    await catchUp.onBlocks("a", empty);
    assert.equal(blamed.length, 1);
    assert.deepEqual(asked, ["a from 11, 50", "b from 11, 50"]);
  });

  test("leaves a peer whose blocks bring nothing new, as it would ask it for ever", async () => {
    catchUp.onHead("a", 20);
    catchUp.onHead("b", 20);
    held = new Set([9, 10]);
    await catchUp.onBlocks("a", blocksOf(9, 10));
    assert.deepEqual(blamed, ["a: none of the blocks that were asked for"]);
    assert.deepEqual(asked, ["a from 11, 50", "b from 11, 50"]);
  });

  test("blames nobody whose blocks were decided here meanwhile", async () => {
    catchUp.onHead("a", 12);
    catchUp.onHead("b", 12);
    head = 12;
    held = new Set([11, 12]);
    await catchUp.onBlocks("a", blocksOf(11, 12));
    assert.deepEqual(blamed, []);
  });

  test("believes no head of a peer that has no blocks to show for it", async () => {
    catchUp.onHead("a", 1_000_000);
    await catchUp.onBlocks("a", blocksOf());
    assert.equal(catchUp.behind, false);
    assert.equal(asked.length, 1);
  });
});
