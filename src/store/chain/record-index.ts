/**
 * Records by participant and by meter, in the order of their times: what managers answer
 * ListRecords from. A trade stands in the lists of its owner, the seller, and of its buyer.
 *
 *     participant ‖ i64 time ‖ u64 position ──▶ record hash        likewise by meter, in lower case
 *
 * A page continues after a place in the list, not after a number of entries. So records that are
 * added in between, which may have old times, neither shift a page nor make one repeat.
 */
import { assert } from "../../base/assert.js";
import { compareBytes } from "../../base/bytes.js";
import type { PlacedRecord } from "../../ledger/blocks/execution.js";
import { foldedId } from "../../ledger/ids.js";
import { meterIdsOf, partiesOf } from "../../ledger/kinds/kinds.js";
import { buckets } from "../buckets.js";
import { bucketKey, bucketRange, i64Part, KeyReader, textPart, u64Part } from "../key-codec.js";
import { type KeyValueStore, rangeLimitMax, type WriteOperation } from "../key-value-store.js";

/** A place in a list. */
export type ListPlace = {
  /** The record's time, Unix ms. */
  readonly timeMs: number;
  /** Index in the Merkle log. */
  readonly position: number;
};

export type ListedRecord = ListPlace & {
  /** 32 bytes. */
  readonly recordHash: Uint8Array;
};

export type ListOptions = {
  /** Unix ms, inclusive; from the beginning when it is left out. */
  readonly fromMs?: number;
  /** Unix ms, exclusive; without end when it is left out. */
  readonly toMs?: number;
  /** Records after this place only: the last one of the page before. */
  readonly after?: ListPlace;
  /** 1 to 65,536. */
  readonly limit: number;
};

type IndexBucket = typeof buckets.ownerIndex | typeof buckets.meterIndex;

/** The entries of a record that is on the ledger now. */
export function recordIndexWrites({ record, position }: PlacedRecord): WriteOperation[] {
  const { ownerId, timeMs, hash } = record;
  const place = { timeMs, position };
  const participants = [ownerId, ...partiesOf(record.record)];
  const keys = [
    ...participants.map((id) => indexKey(buckets.ownerIndex, id, place)),
    ...meterIdsOf(record.record).map((id) => indexKey(buckets.meterIndex, foldedId(id), place)),
  ];
  return keys.map((key) => ({ type: "put", key, value: hash }));
}

/** The records of a participant, owner or party, ascending by time and then position. */
export function listByParticipant(
  kv: KeyValueStore,
  participantId: string,
  options: ListOptions,
): Promise<readonly ListedRecord[]> {
  return list(kv, buckets.ownerIndex, participantId, options);
}

/**
 * The readings of a meter, whose id may be in any case: all versions, ascending by time and then
 * position.
 */
export function listByMeter(
  kv: KeyValueStore,
  meterId: string,
  options: ListOptions,
): Promise<readonly ListedRecord[]> {
  return list(kv, buckets.meterIndex, foldedId(meterId), options);
}

async function list(
  kv: KeyValueStore,
  bucket: IndexBucket,
  id: string,
  { fromMs, toMs, after, limit }: ListOptions,
): Promise<readonly ListedRecord[]> {
  assert(limit >= 1 && limit <= rangeLimitMax, `a page of ${limit} records`);
  const whole = bucketRange(bucket, textPart(id));
  let gte = fromMs === undefined ? whole.gte : bucketKey(bucket, textPart(id), i64Part(fromMs));
  const lt = toMs === undefined ? whole.lt : bucketKey(bucket, textPart(id), i64Part(toMs));
  if (after !== undefined) {
    const { timeMs, position } = after;
    const next = indexKey(bucket, id, { timeMs, position: position + 1 });
    if (compareBytes(next, gte) > 0) gte = next;
  }
  if (compareBytes(gte, lt) >= 0) return [];
  const entries = await kv.range({ gte, lt, limit });
  return entries.map(([key, recordHash]) => {
    const reader = new KeyReader(key, bucket);
    reader.text();
    const timeMs = Number(reader.i64());
    const position = Number(reader.u64());
    reader.end();
    return { timeMs, position, recordHash };
  });
}

function indexKey(bucket: IndexBucket, id: string, { timeMs, position }: ListPlace): Uint8Array {
  return bucketKey(bucket, textPart(id), i64Part(timeMs), u64Part(position));
}
