import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LruCache } from "../../../src/crypto/lru-cache.js";

describe("LruCache", () => {
  test("creates a value once and remembers it", () => {
    const cache = new LruCache<object>(2);
    const first = cache.getOrCreate("a", () => ({}));
    assert.equal(cache.getOrCreate("a", assert.fail), first);
    assert.equal(cache.size, 1);
  });

  test("never holds more than its bound, and forgets what was used longest ago", () => {
    const cache = new LruCache<string>(2);
    cache.getOrCreate("a", () => "a1");
    cache.getOrCreate("b", () => "b1");
    cache.getOrCreate("a", assert.fail);
    cache.getOrCreate("c", () => "c1");
    assert.equal(cache.size, 2);
    assert.equal(cache.getOrCreate("a", assert.fail), "a1");
    assert.equal(
      cache.getOrCreate("b", () => "b2"),
      "b2",
    );
    assert.equal(cache.size, 2);
  });

  test("remembers nothing when the value cannot be created", () => {
    const cache = new LruCache<string>(2);
    assert.throws(() => cache.getOrCreate("a", () => assert.fail("broken")));
    assert.equal(cache.size, 0);
  });
});
