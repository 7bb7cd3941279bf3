import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import { toHex, utf8 } from "../../../src/base/bytes.js";
import { LeafSchema } from "../../../src/gen/bss/v1/block_pb.js";
import {
  type BlockViewSchema,
  GetBlockRequestSchema,
  ListBlocksRequestSchema,
  WatchBlocksRequestSchema,
} from "../../../src/gen/bss/v1/query_pb.js";
import { getBlock, listBlocks, watchBlocks } from "../../../src/query/block-queries.js";
import { HeadSignal } from "../../../src/query/head-signal.js";
import { pageToken } from "../../../src/rpc/validation.js";
import { rpcErrorFrom } from "../../support/rpc-consortium.js";
import { consortiumId } from "../ledger/support/consortium.js";
import { ChainWorld } from "../storage-node/support/chain-world.js";

type View = MessageInitShape<typeof BlockViewSchema> | undefined;

async function worldOf(heights: number): Promise<ChainWorld> {
  const world = await ChainWorld.open();
  for (let i = 0; i < heights; i++) await world.commit(world.ledger.extend());
  return world;
}

function heightsOf(views: readonly View[]): number[] {
  return views.map((view) => Number(view?.height));
}

describe("GetBlock", () => {
  const request = (selector: MessageInitShape<typeof GetBlockRequestSchema>["selector"]) =>
    create(GetBlockRequestSchema, selector === undefined ? {} : { selector });

  test("answers by height and by id with exact parts, header and confirmations", async () => {
    const world = await worldOf(3);
    const made = world.ledger.at(2);
    const { store } = world;
    const byHeight = await getBlock(store, request({ case: "height", value: 2n }));
    const byId = await getBlock(store, request({ case: "blockId", value: made.parsed.blockId }));
    assert.deepEqual(byId, byHeight);
    const view = byHeight.block;
    assert.equal(view?.height, 2n);
    assert.equal(view?.confirmations, 2n);
    assert.deepEqual(view?.block, made.block);
    assert.deepEqual(view?.certificates, made.certificates);
    assert.equal(view?.header?.height, 2n);
    assert.equal(toHex(view?.blockId ?? utf8("")), toHex(made.parsed.blockId));
    assert.ok((view?.storageHeader?.length ?? 0) > 0);
  });

  test("leaves out what is long when told so", async () => {
    const { store } = await worldOf(3);
    const selector = { case: "height", value: 2n } as const;
    const asked = create(GetBlockRequestSchema, { selector, headersOnly: true });
    const { block: view } = await getBlock(store, asked);
    assert.equal(view?.header?.height, 2n);
    assert.deepEqual(view?.block?.leaves, []);
    assert.deepEqual(view?.certificates?.commit?.signatures, []);
  });

  const refusals = [
    ["a height above the head", { case: "height", value: 4n }, "BLOCK_UNKNOWN"],
    ["height 0", { case: "height", value: 0n }, "FIELD_INVALID"],
    ["a height beyond safe integers", { case: "height", value: 2n ** 63n }, "FIELD_INVALID"],
    ["an unknown id", { case: "blockId", value: new Uint8Array(32) }, "BLOCK_UNKNOWN"],
    ["the consortium id", { case: "blockId", value: consortiumId }, "BLOCK_UNKNOWN"],
    ["a short id", { case: "blockId", value: new Uint8Array(31) }, "FIELD_INVALID"],
    ["no selector", { case: undefined }, "FIELD_INVALID"],
  ] as const;
  for (const [what, selector, reason] of refusals) {
    test(`refuses ${what} with ${reason}`, async () => {
      const world = await worldOf(3);
      const error = await rpcErrorFrom(getBlock(world.store, request(selector)));
      assert.equal(error.reason, reason);
    });
  }
});

describe("ListBlocks", () => {
  const request = (init: MessageInitShape<typeof ListBlocksRequestSchema>) =>
    create(ListBlocksRequestSchema, init);

  for (const pageSize of [1, 2, 3, 7, 100]) {
    test(`gives every block once in pages of ${pageSize}`, async () => {
      const { store } = await worldOf(7);
      const seen: number[] = [];
      let token = "";
      do {
        const page = await listBlocks(store, request({ pageSize, pageToken: token }));
        assert.ok((page.blocks?.length ?? 0) <= pageSize);
        seen.push(...heightsOf(page.blocks ?? []));
        token = page.nextPageToken ?? "";
      } while (token !== "");
      assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7]);
    });
  }

  test("begins at a height, and is empty above the head", async () => {
    const { store } = await worldOf(3);
    const from = await listBlocks(store, request({ fromHeight: 2n }));
    assert.deepEqual(heightsOf(from.blocks ?? []), [2, 3]);
    for (const fromHeight of [4n, 2n ** 53n - 1n]) {
      const empty = await listBlocks(store, request({ fromHeight }));
      assert.deepEqual(empty, { blocks: [], nextPageToken: "" });
    }
  });

  test("begins no lower for a token that is made up", async () => {
    const { store } = await worldOf(4);
    const asked = request({ fromHeight: 3n, pageToken: pageToken("blocks", "1") });
    const page = await listBlocks(store, asked);
    assert.deepEqual(heightsOf(page.blocks ?? []), [3, 4]);
  });

  test("leaves out bodies and signatures when only headers are wanted", async () => {
    const world = await worldOf(2);
    const page = await listBlocks(world.store, request({ headersOnly: true }));
    const view = defined(page.blocks?.[1], "there are two blocks");
    assert.deepEqual(view.block?.header, world.ledger.at(2).block.header);
    assert.deepEqual(view.block?.leaves, []);
    assert.equal(view.block?.previousCertificates?.length, 0);
    const { approval, integrity, commit } = defined(view.certificates, "it is final");
    for (const part of [approval, integrity, commit]) {
      assert.equal(part?.height, 2n);
      assert.deepEqual(part?.signatures, []);
    }
  });

  test("ends a page before it outgrows a message, but never before its first block", async (t) => {
    const { store } = await worldOf(4);
    const leaves = Array.from({ length: 21_000 }, () => create(LeafSchema));
    const finalBlock = store.finalBlock.bind(store);
    t.mock.method(store, "finalBlock", async (height: number) => {
      const final = await finalBlock(height);
      return final && { ...final, block: { ...final.block, leaves } };
    });
    const page = await listBlocks(store, request({}));
    assert.deepEqual(heightsOf(page.blocks ?? []), [1, 2]);
    const next = await listBlocks(store, request({ pageToken: page.nextPageToken ?? "" }));
    assert.deepEqual(heightsOf(next.blocks ?? []), [3, 4]);
  });

  const refusals = [
    ["pages of 101", { pageSize: 101 }, "FIELD_INVALID"],
    ["a height beyond safe integers", { fromHeight: 2n ** 64n - 1n }, "FIELD_INVALID"],
    ["a made-up token", { pageToken: "abc" }, "PAGE_TOKEN_INVALID"],
    [
      "a token of another list",
      { pageToken: pageToken("storage-nodes", "3") },
      "PAGE_TOKEN_INVALID",
    ],
    ...["0", "-1", "x", "1.5", "", "99999999999999999"].map(
      (place) =>
        [
          `the place "${place}"`,
          { pageToken: pageToken("blocks", place) },
          "PAGE_TOKEN_INVALID",
        ] as const,
    ),
  ] as const;
  for (const [what, init, reason] of refusals) {
    test(`refuses ${what} with ${reason}`, async () => {
      const { store } = await worldOf(1);
      assert.equal((await rpcErrorFrom(listBlocks(store, request(init)))).reason, reason);
    });
  }
});

describe("WatchBlocks", () => {
  /** The heights of the next `count` blocks, while `meanwhile` runs. */
  async function watch(
    world: ChainWorld,
    fromHeight: bigint,
    count: number,
    meanwhile: (heads: HeadSignal) => Promise<void> = async () => {},
  ): Promise<number[]> {
    const heads = new HeadSignal();
    const controller = new AbortController();
    const request = create(WatchBlocksRequestSchema, { fromHeight, headersOnly: true });
    const heights: number[] = [];
    const running = (async () => {
      for await (const { block } of watchBlocks(world.store, heads, request, controller.signal)) {
        heights.push(Number(block?.height));
        if (heights.length === count) controller.abort();
      }
    })();
    await meanwhile(heads);
    await running;
    assert.equal(heads.waiting, 0);
    return heights;
  }

  test("gives the blocks that are there and then each new one, without gap or repeat", async () => {
    const world = await worldOf(3);
    const heights = await watch(world, 1n, 23, async (heads) => {
      for (let i = 0; i < 20; i++) {
        await world.commit(world.ledger.extend());
        heads.announce();
        if (i % 3 === 0) heads.announce();
        if (i % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    });
    assert.deepEqual(
      heights,
      Array.from({ length: 23 }, (_, i) => i + 1),
    );
  });

  test("from 0 begins with the block after the head", async () => {
    const world = await worldOf(2);
    const heights = await watch(world, 0n, 1, async (heads) => {
      await new Promise((resolve) => setImmediate(resolve));
      await world.commit(world.ledger.extend());
      heads.announce();
    });
    assert.deepEqual(heights, [3]);
  });

  test("from a height above the head waits for that height", async () => {
    const world = await worldOf(1);
    const heights = await watch(world, 4n, 1, async (heads) => {
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        await world.commit(world.ledger.extend());
        heads.announce();
      }
    });
    assert.deepEqual(heights, [4]);
  });

  test("refuses a height beyond safe integers", async () => {
    const world = await worldOf(1);
    const error = await rpcErrorFrom(watch(world, 2n ** 63n, 1));
    assert.equal(error.reason, "FIELD_INVALID");
  });
});
