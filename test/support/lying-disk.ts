/** Changes a stopped or running node's files as a failing disk does. */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { defined } from "../../src/base/assert.js";
import { sha256 } from "../../src/crypto/hash.js";
import { readSealed, readSegments } from "../../src/store/chain/sealed-records.js";
import { type Segment, segmentWrites } from "../../src/store/chain/segments.js";
import { openRocksDb } from "../../src/store/rocksdb/rocksdb-store.js";

/** Where to change a file; undefined for a file that is left as it is. */
export type Place = (content: Buffer, records: readonly Uint8Array[]) => number | undefined;

export const atEnd: Place = ({ length }) => length - 3;
export const inMiddle: Place = ({ length }) => length >> 1;

/**
 * Sealed records do not shrink, so they lie in a file as they are. The one in the middle has
 * records before and after it: nothing else shares its piece of the file, which has one checksum.
 */
export const withinRecord: Place = (content, records) => {
  const places = records.map((record) => content.indexOf(record.subarray(32, 64)));
  const held = places.filter((place) => place >= 0);
  return held[held.length >> 1];
};

/**
 * Leaves everything in sorted files, as opening moves the log into one; `count` of the records that
 * they hold, from the first one. The node is stopped.
 */
export async function settleFiles(
  directory: string,
  count: number,
): Promise<readonly Uint8Array[]> {
  const kv = await openRocksDb(directory);
  const positions = Array.from({ length: count }, (_, position) => position);
  const records = await readSealed(kv, positions).finally(() => kv.close());
  return records.map((each) => defined(each, "the record is there").sealed);
}

/** One byte of each file whose name matches. A node that runs may remove files meanwhile. */
export function flipFiles(
  directory: string,
  names: RegExp,
  at: Place,
  records: readonly Uint8Array[] = [],
): void {
  const files = readdirSync(directory).filter((name) => names.test(name));
  const flipped = files.filter((name) => flip(join(directory, name), at, records));
  if (flipped.length > 0) return;
  throw new Error(`nothing to change in ${directory}: ${readdirSync(directory).join(" ")}`);
}

/** Takes these out of a stopped node's store. */
export async function deleteKeys(directory: string, keys: readonly Uint8Array[]): Promise<void> {
  const kv = await openRocksDb(directory);
  await kv.write(
    keys.map((key) => ({ type: "delete", key })),
    "sync",
  );
  await kv.close();
}

/** The first `count` sealed records, which are short, in pairs: one has the other's place. */
export async function exchangeRecords(directory: string, count: number): Promise<void> {
  const records = await settleFiles(directory, count);
  const kv = await openRocksDb(directory);
  const segments = await readSegments(
    kv,
    records.map((_, i) => i),
  );
  for (const { first, height, recordHashes } of segments.map(contentOf)) {
    const leaves = recordHashes.map((recordHash) => ({ recordHash, sealDigest: sha256() }));
    const stored = await readSealed(
      kv,
      leaves.map((_, i) => first + i),
    );
    const sealedRecords = stored.map((each, i) => {
      return records[(first + i) ^ 1] ?? defined(each, "the record is there").sealed;
    });
    await kv.write(segmentWrites({ height, first, leaves, sealedRecords }), "sync");
  }
  await kv.close();
}

function contentOf(segment: Segment) {
  const { first, height, end } = segment;
  const recordHashes = Array.from({ length: end - first }, (_, i) => {
    return segment.recordHash(first + i);
  });
  return { first, height, recordHashes };
}

/** In place, as a disk does it. */
function flip(file: string, at: Place, records: readonly Uint8Array[]): boolean {
  if (!existsSync(file)) return false;
  const content = readFileSync(file);
  const position = at(content, records);
  if (position === undefined) return false;
  const handle = openSync(file, "r+");
  writeSync(handle, Buffer.of((content[position] ?? 0) ^ 0x10), 0, 1, position);
  closeSync(handle);
  return true;
}
