/**
 * Where a record stands, by its hash, on a storage node (a manager has it in the state):
 *
 *     first 8 bytes of the record hash ‖ position ──▶ nothing
 *
 * The segment at the position has the whole hash, and shows whether it is the record that is looked
 * for. So a row takes half the space of one with the whole hash, and it does not matter if hashes
 * begin alike: making two takes some 2^32 tries, and costs a reader one more read.
 */
import { equalBytes } from "../../base/bytes.js";
import { buckets } from "../buckets.js";
import { bucketRange } from "../key-codec.js";
import { type KeyValueStore, scanPages, type WriteOperation } from "../key-value-store.js";
import { holderOf, readSegments } from "./sealed-records.js";
import { damaged } from "./stored-values.js";

/** Bytes of the hash in the key. */
const prefixBytes = 8;
const nothing = new Uint8Array(0);

/** The writes for the records of a block. */
export function recordPlaceWrites(
  first: number,
  leaves: readonly { readonly recordHash: Uint8Array }[],
): WriteOperation[] {
  return leaves.map(({ recordHash }, i) => {
    return { type: "put", key: recordPlaceKey(recordHash, first + i), value: nothing };
  });
}

export function recordPlaceKey(recordHash: Uint8Array, position: number): Uint8Array {
  let numberBytes = 1;
  for (let rest = position; rest >= 256; rest = Math.floor(rest / 256)) numberBytes += 1;
  const key = new Uint8Array(1 + prefixBytes + numberBytes);
  key[0] = buckets.recordPlace;
  for (let i = 0; i < prefixBytes; i += 1) key[1 + i] = recordHash[i] as number;
  let rest = position;
  for (let i = key.length - 1; i > prefixBytes; i -= 1) {
    key[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return key;
}

/** The position of each record; undefined for one that is not on the ledger. */
export async function readRecordPlaces(
  kv: Pick<KeyValueStore, "getMany" | "range">,
  recordHashes: readonly Uint8Array[],
): Promise<readonly (number | undefined)[]> {
  return Promise.all(recordHashes.map((hash) => readRecordPlace(kv, hash)));
}

async function readRecordPlace(
  kv: Pick<KeyValueStore, "getMany" | "range">,
  recordHash: Uint8Array,
): Promise<number | undefined> {
  const range = bucketRange(buckets.recordPlace, recordHash.subarray(0, prefixBytes));
  for await (const [key] of scanPages(kv, { ...range, pageEntries: candidatesPerPage })) {
    const position = positionIn(key);
    const segment = holderOf(await readSegments(kv, [position]), position);
    if (segment === undefined) throw damaged(`the record at position ${position}`, "is missing");
    if (equalBytes(segment.recordHash(position), recordHash)) return position;
  }
  return undefined;
}

const candidatesPerPage = 4;

function positionIn(key: Uint8Array): number {
  let position = 0;
  for (const byte of key.subarray(1 + prefixBytes)) position = position * 256 + byte;
  return position;
}
