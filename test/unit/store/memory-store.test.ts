import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMemoryDisk, openMemoryStore } from "../../support/memory-store.js";
import { del, describeKeyValueStore, put, textOf } from "./key-value-store.contract.js";

describeKeyValueStore("memory", async () => ({ ...bound(), remove: async () => {} }));

function bound() {
  const disk = createMemoryDisk();
  return { open: () => disk.open() };
}

describe("a memory disk that loses power", () => {
  test("loses the writes that no synced write followed", async () => {
    const disk = createMemoryDisk();
    const store = await disk.open();
    await store.write([put("a", "1"), put("b", "1")], "sync");
    await store.write([put("a", "2"), del("b"), put("c", "2")], "buffered");
    await store.write([put("a", "3"), put("c", "3")], "buffered");
    assert.deepEqual(await textOf(store), ["a=3", "c=3"]);
    disk.crash();
    assert.deepEqual(await textOf(await disk.open()), ["a=1", "b=1"]);
  });

  test("keeps buffered writes that a synced write followed, be it an empty one", async () => {
    for (const last of [[put("z", "9")], []]) {
      const disk = createMemoryDisk();
      const store = await disk.open();
      await store.write([put("a", "1")], "buffered");
      await store.write(last, "sync");
      await store.write([put("a", "2")], "buffered");
      disk.crash();
      const kept = ["a=1", ...(last.length > 0 ? ["z=9"] : [])];
      assert.deepEqual(await textOf(await disk.open()), kept);
    }
  });

  test("loses what was buffered before an orderly close too: closing does not sync", async () => {
    const disk = createMemoryDisk();
    const store = await disk.open();
    await store.write([put("a", "1")], "buffered");
    await store.close();
    disk.crash();
    assert.deepEqual(await textOf(await disk.open()), []);
  });

  test("a second crash takes nothing more", async () => {
    const disk = createMemoryDisk();
    await (await disk.open()).write([put("a", "1")], "sync");
    disk.crash();
    disk.crash();
    assert.deepEqual(await textOf(await disk.open()), ["a=1"]);
  });

  test("the store of the dead process reaches the disk no more", async () => {
    const disk = createMemoryDisk();
    const dead = await disk.open();
    disk.crash();
    const alive = await disk.open();
    await assert.rejects(dead.write([put("a", "1")], "sync"), { code: "CLOSED" });
    await dead.close();
    assert.deepEqual(await textOf(alive), []);
    await assert.rejects(disk.open(), { code: "LOCKED" });
  });

  test("stores without a disk of their own making do not share one", async () => {
    const one = await openMemoryStore();
    const other = await openMemoryStore();
    await one.write([put("a", "1")], "sync");
    assert.deepEqual(await textOf(other), []);
  });
});

describe("a write that fails in memory", () => {
  for (const { outcome, after } of [
    { outcome: "lost", after: ["a=1"] },
    { outcome: "kept", after: ["a=1", "b=2"] },
  ] as const) {
    test(`with outcome "${outcome}" stops the next, and shows at the next opening`, async () => {
      const disk = createMemoryDisk();
      const store = await disk.open();
      await store.write([put("a", "1")], "buffered");
      await store.write([], "sync");
      disk.failNextWrite({ code: "DISK_FULL", outcome });
      await assert.rejects(store.write([put("b", "2")], "sync"), { code: "DISK_FULL" });
      await assert.rejects(store.write([put("c", "3")], "sync"), {
        code: "DISK_FULL",
        message: /open the store again/,
      });
      assert.deepEqual(await textOf(store), ["a=1"], "reads go on, without the failed batch");
      disk.crash();
      const again = await disk.open();
      assert.deepEqual(await textOf(again), after);
      await again.write([put("d", "4")], "sync");
      assert.deepEqual(await textOf(again), [...after, "d=4"]);
    });
  }

  test("shows after an orderly close as well", async () => {
    const disk = createMemoryDisk();
    const store = await disk.open();
    disk.failNextWrite({ outcome: "kept" });
    await assert.rejects(store.write([put("b", "2")], "sync"), { code: "IO" });
    await store.close();
    assert.deepEqual(await textOf(await disk.open()), ["b=2"]);
  });

  test("that was asked for but never came does not outlive a crash", async () => {
    const disk = createMemoryDisk();
    await disk.open();
    disk.failNextWrite();
    disk.crash();
    const store = await disk.open();
    await store.write([put("a", "1")], "sync");
    assert.deepEqual(await textOf(store), ["a=1"]);
  });
});
