/**
 * Run by rocksdb-crash.test.ts as a process of its own, to be killed: writes numbered batches for
 * ever, synced, and prints the number of each one after its write resolved.
 */
import { writeSync } from "node:fs";
import { bucketKey, u8Part, u64Part } from "../../../src/store/key-codec.js";
import type { KeyValueStore, WriteOperation } from "../../../src/store/key-value-store.js";
import { openRocksDb } from "../../../src/store/rocksdb/rocksdb-store.js";

export const putsPerBatch = 5;

export function crashKey(batch: number, part: number): Uint8Array {
  return bucketKey(1, u64Part(batch), u8Part(part));
}

async function writeForEver(store: KeyValueStore): Promise<void> {
  for (let number = 0; ; number++) {
    const batch: WriteOperation[] = [];
    for (let part = 0; part < putsPerBatch; part++) {
      batch.push({ type: "put", key: crashKey(number, part), value: u64Part(number) });
    }
    await store.write(batch, "sync");
    writeSync(1, `${number}\n`);
  }
}

const [script, directory] = process.argv.slice(1);
if (script !== undefined && /crash-writer\.js$/.test(script) && directory !== undefined) {
  await writeForEver(await openRocksDb(directory, { createIfMissing: true }));
}
