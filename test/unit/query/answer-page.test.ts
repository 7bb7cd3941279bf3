import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerBytesMax, answerPage } from "../../../src/query/answer-page.js";

/** Pages over 0 … count − 1, each item as long as `bytesOf` says. */
async function pagesOf(count: number, countMax: number, bytesOf: (item: number) => number) {
  const found: number[][] = [];
  let from = 0;
  for (;;) {
    const sources = Array.from({ length: count - from }, (_, i) => from + i);
    const { items, last, next } = await answerPage(sources, countMax, (item) => [
      item,
      bytesOf(item),
    ]);
    found.push(items);
    assert.equal(last, items.at(-1));
    if (next === undefined) return found;
    assert.equal(next, from + items.length);
    from = next;
  }
}

describe("an answer of a listing", () => {
  test("ends with as many items as were asked for, and the last one says so", async () => {
    const lengths = async (count: number, countMax: number) =>
      (await pagesOf(count, countMax, () => 1)).map(({ length }) => length);
    assert.deepEqual(await lengths(7, 3), [3, 3, 1]);
    assert.deepEqual(await lengths(6, 3), [3, 3]);
    assert.deepEqual(await lengths(0, 3), [0]);
  });

  test("ends before it is too long, and leaves nothing out", async () => {
    const third = Math.floor(answerBytesMax / 3);
    assert.deepEqual(await pagesOf(7, 100, () => third), [[0, 1, 2], [3, 4, 5], [6]]);
    assert.deepEqual(await pagesOf(3, 100, () => third + 1), [[0, 1], [2]]);
    const mixed = (item: number) => (item === 2 ? answerBytesMax : 1);
    assert.deepEqual(await pagesOf(5, 100, mixed), [[0, 1], [2], [3, 4]]);
  });

  test("has one item whatever its length", async () => {
    assert.deepEqual(await pagesOf(2, 100, () => 10 * answerBytesMax), [[0], [1]]);
  });

  test("looks at no more than one item beyond it", async () => {
    const seen: number[] = [];
    async function* sources() {
      for (let i = 0; ; i++) {
        seen.push(i);
        yield i;
      }
    }
    await answerPage(sources(), 3, (item) => [item, 1]);
    assert.deepEqual(seen, [0, 1, 2, 3]);
  });
});
