/** Where tests of the stores keep their data, and what is there. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "../../../../src/base/bytes.js";
import type { KeyValueStore } from "../../../../src/store/key-value-store.js";
import { openRocksDb } from "../../../../src/store/rocksdb/rocksdb-store.js";
import { createMemoryDisk } from "../../../support/memory-store.js";

export type TestDisk = { open(): Promise<KeyValueStore>; remove(): Promise<void> };

/** Each kind of disk by name. */
export const disks: readonly (readonly [name: string, create: () => Promise<TestDisk>])[] = [
  ["memory", async () => ({ ...bound(createMemoryDisk()), remove: async () => {} })],
  ["RocksDB", rocksDbDisk],
];

function bound(disk: { open(): Promise<KeyValueStore> }) {
  return { open: () => disk.open() };
}

async function rocksDbDisk(): Promise<TestDisk> {
  const path = await mkdtemp(join(tmpdir(), "bss-store-"));
  return {
    open: () => openRocksDb(path),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** Everything that a store holds, key and value in hex. */
export async function contentOf(kv: KeyValueStore): Promise<ReadonlyMap<string, string>> {
  const content = new Map<string, string>();
  for await (const [key, value] of kv.scan({ gte: Uint8Array.of(0), lt: Uint8Array.of(0xff) })) {
    content.set(toHex(key), toHex(value));
  }
  return content;
}

/** Keys of one bucket. */
export async function keysIn(kv: KeyValueStore, bucket: number): Promise<readonly string[]> {
  const keys = [...(await contentOf(kv)).keys()];
  const prefix = toHex(Uint8Array.of(bucket));
  return keys.filter((key) => key.startsWith(prefix));
}
