/** A store goes on after its files were mended: writes are made again, reads are told of. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { MendableStore } from "../../../../src/store/damage/mendable-store.js";
import type { KeyValueStore } from "../../../../src/store/key-value-store.js";
import { StoreError } from "../../../../src/store/store-error.js";
import { createMemoryDisk } from "../../../support/memory-store.js";

const key = Uint8Array.of(1, 2);
const put = { type: "put", key, value: Uint8Array.of(7) } as const;

class Bench {
  readonly disk = createMemoryDisk();
  readonly told: string[] = [];
  readonly events: string[] = [];
  damaged = false;
  openFails = false;
  /** What the key had when the repair began. */
  repairedOver: Uint8Array | undefined;

  open(): Promise<MendableStore> {
    return MendableStore.open({
      open: async () => {
        if (this.openFails) throw new StoreError("IO", "gone");
        this.events.push("open");
        return this.#over(await this.disk.open());
      },
      repair: async (damaged) => {
        this.events.push("repair");
        this.damaged = false;
        this.repairedOver = await damaged.get(key);
        await damaged.close();
      },
      onDamage: ({ message }) => this.told.push(message),
    });
  }

  #over(kv: KeyValueStore): KeyValueStore {
    const guarded = <T>(operation: () => Promise<T>): Promise<T> =>
      this.damaged ? Promise.reject(new StoreError("CORRUPT", "a checksum")) : operation();
    return {
      get: (each) => guarded(() => kv.get(each)),
      getMany: (keys) => guarded(() => kv.getMany(keys)),
      range: (options) => guarded(() => kv.range(options)),
      scan: (options) => kv.scan(options),
      write: (batch, durability) =>
        guarded(async () => {
          await setImmediate();
          await kv.write(batch, durability);
        }),
      close: () => {
        this.events.push("close");
        return kv.close();
      },
    };
  }
}

describe("a store that can be mended", () => {
  test("mends on a write that meets damage, and makes it again", async () => {
    const bench = new Bench();
    const store = await bench.open();
    bench.damaged = true;
    await store.write([put], "buffered");
    assert.deepEqual(bench.events, ["open", "repair", "close", "open"]);
    assert.deepEqual(bench.told, ["a checksum"]);
    assert.deepEqual(await store.get(key), put.value);
  });

  test("tells of a read that meets damage, and rejects it", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await store.write([put], "sync");
    bench.damaged = true;
    await assert.rejects(store.get(key), { code: "CORRUPT" });
    await assert.rejects(store.getMany([key]), { code: "CORRUPT" });
    assert.equal(bench.told.length, 2);
    assert.deepEqual(bench.events, ["open"]);
  });

  test("lets operations wait while it mends, once for all callers", async () => {
    const bench = new Bench();
    const store = await bench.open();
    bench.damaged = true;
    const mending = [store.mend(), store.mend()];
    const reading = store.get(key);
    await Promise.all(mending);
    assert.equal(await reading, undefined);
    assert.deepEqual(bench.events, ["open", "repair", "close", "open"]);
  });

  test("mends when what is in flight has ended", async () => {
    const bench = new Bench();
    const store = await bench.open();
    await Promise.all([store.write([put], "sync"), store.mend()]);
    assert.deepEqual(bench.repairedOver, put.value);
  });

  test("rejects when it cannot be opened any more", async () => {
    const bench = new Bench();
    const store = await bench.open();
    bench.openFails = true;
    await assert.rejects(store.mend(), { code: "IO" });
    await assert.rejects(store.get(key), { code: "CLOSED" });
    await store.close();
  });
});
