import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { toHex } from "../../../../../src/base/bytes.js";
import { proveReceipts } from "../../../../../src/cli/sending/receipts/prove-receipts.js";
import type { BlockLine } from "../../../../../src/cli/sending/receipts/receipt-lines.js";
import { BlockViewSchema } from "../../../../../src/gen/bss/v1/query_pb.js";
import { RpcError } from "../../../../../src/rpc/rpc-error.js";
import { toyChain, toyGenesis } from "../../../../support/toy-chain.js";

describe("what proves the places of records", () => {
  const chain = toyChain([3, 5, 2]);
  const { signal } = new AbortController();
  const nowhere = "ab".repeat(32);

  /** Fetches proofs of what the file says: positions by height. */
  const prove = async (
    said: Readonly<Record<number, readonly number[]>>,
    hashAt: (position: number) => string = chain.hashAt,
    lines: BlockLine[] = [],
  ) => {
    const blocks: number[] = [];
    const places = new Map(
      Object.entries(said).map(([height, positions]) => {
        return [Number(height), new Map(positions.map((each) => [each, hashAt(each)]))] as const;
      }),
    );
    await proveReceipts({
      client: {
        genesis: toyGenesis,
        getReceipt: (hash) => {
          if (toHex(hash) !== nowhere) return chain.receiptOf(hash);
          throw new RpcError("RECORD_UNKNOWN", "there is none");
        },
        getBlock: async (selector) => {
          const height = "height" in selector ? selector.height : 0;
          blocks.push(height);
          return create(BlockViewSchema, { block: await chain.blockAt(height) });
        },
      },
      receipts: {
        unprovenHeights: [...places.keys()],
        unprovenIn: (height) => places.get(height) ?? new Map(),
        prove: (line) => lines.push(line),
      },
      signal,
    });
    return { lines, blocks };
  };

  test("is fetched once for each block, and without the block for one record", async () => {
    const { lines, blocks } = await prove({ 1: [1], 2: [7, 3, 4], 3: [8, 9] });
    assert.deepEqual(
      lines.map(({ block, positions, leaves }) => [block, positions, leaves !== undefined]),
      [
        [1, [[1, 1]], false],
        [
          2,
          [
            [3, 2],
            [7, 1],
          ],
          true,
        ],
        [3, [[8, 2]], true],
      ],
    );
    assert.deepEqual(blocks, [2, 3]);
  });

  test("is not taken from a manager that said something else before", async () => {
    const elsewhere = { name: "UntrueAnswer", message: /^block 2: it does not hold the records/ };
    await assert.rejects(prove({ 2: [1] }), elsewhere);
    const shifted = (position: number) => chain.hashAt(position === 4 ? 5 : position);
    await assert.rejects(prove({ 2: [3, 4] }, shifted), elsewhere);
    await assert.rejects(prove({ 2: [4] }, shifted), elsewhere);
    await assert.rejects(prove({ 2: [3, 8] }), { name: "UntrueAnswer", message: /position 8/ });
  });

  test("of other blocks is fetched after what a manager has said wrongly", async () => {
    const lines: BlockLine[] = [];
    const lie = (position: number) => (position === 1 ? nowhere : chain.hashAt(position));
    const asked = prove({ 1: [1], 2: [8], 3: [9] }, lie, lines);
    await assert.rejects(asked, { name: "UntrueAnswer", message: "block 1: there is none" });
    assert.deepEqual(
      lines.map(({ block }) => block),
      [3],
    );
  });
});
