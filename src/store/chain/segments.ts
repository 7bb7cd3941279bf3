/**
 * Sealed records on disk. The records of a block are stored in segments of about 16 KiB:
 *
 *     u64 first position ──▶ first position, height, count, entry of each record, sealed records
 *     entry                  record hash ‖ length and place ‖ (seal digest, if it stands apart)
 *
 * So a block costs a few writes and not some for each record, and a record in a block of its own
 * about eight bytes besides its hash and itself. A record is found by its position: it is in the
 * last segment that begins at or before it. What a leaf needs is all here, so blocks are stored
 * without their leaves: the seal digest is the hash of the sealed record.
 *
 * A sealed record of 1 KiB or more stands apart under its own position, and the segment has its
 * digest. So nobody reads, or hashes, long records to learn of those beside them: a proof needs the
 * leaves of up to 16 records, a listing their hashes.
 *
 * Each value begins with the position under which it is stored. One that a disk or a mistake has
 * put in another's place is damage when it is read.
 */
import { assert, defined } from "../../base/assert.js";
import { putVarint, varintBytes } from "../../base/varint.js";
import { hashBytes, sha256 } from "../../crypto/hash.js";
import type { Leaf } from "../../gen/bss/v1/block_pb.js";
import { leafHashOf } from "../../ledger/blocks/block-hashes.js";
import { buckets } from "../buckets.js";
import { bucketKey, u64Part } from "../key-codec.js";
import type { Entry, WriteOperation } from "../key-value-store.js";
import { StoredReader } from "./varint.js";

/** A segment ends with the record that brings it to so many bytes. */
export const segmentBytes = 16 * 1_024;

/** A sealed record of so many bytes stands apart. */
export const apartBytesMin = 1_024;

export const segmentKeys = {
  segment: (first: number) => bucketKey(buckets.segment, u64Part(first)),
  apart: (position: number) => bucketKey(buckets.sealedApart, u64Part(position)),
} as const;

export type SegmentedBlock = {
  readonly height: number;
  /** Position of the block's first record. */
  readonly first: number;
  readonly leaves: readonly Pick<Leaf, "recordHash" | "sealDigest">[];
  /** In the order of the leaves. */
  readonly sealedRecords: readonly Uint8Array[];
};

/** The writes for the sealed records of a block. */
export function segmentWrites(block: SegmentedBlock): WriteOperation[] {
  const { first, leaves, sealedRecords } = block;
  assert(sealedRecords.length === leaves.length, "each leaf has its sealed record");
  const writes: WriteOperation[] = [];
  let from = 0;
  let byteCount = 0;
  for (const [i, sealed] of sealedRecords.entries()) {
    byteCount += hashBytes;
    if (standsApart(sealed.length)) {
      writes.push(apartWrite(first + i, sealed));
      byteCount += hashBytes;
    } else byteCount += sealed.length;
    if (byteCount < segmentBytes && i + 1 < sealedRecords.length) continue;
    const key = segmentKeys.segment(first + from);
    writes.push({ type: "put", key, value: encodeSegment(block, from, i + 1) });
    from = i + 1;
    byteCount = 0;
  }
  return writes;
}

function standsApart(length: number): boolean {
  return length >= apartBytesMin;
}

function apartWrite(position: number, sealed: Uint8Array): WriteOperation {
  const value = new Uint8Array(varintBytes(position) + sealed.length);
  value.set(sealed, putVarint(value, 0, position));
  return { type: "put", key: segmentKeys.apart(position), value };
}

function encodeSegment(block: SegmentedBlock, from: number, end: number): Uint8Array {
  const { height, leaves, sealedRecords } = block;
  const first = block.first + from;
  let length = varintBytes(first) + varintBytes(height) + varintBytes(end - from);
  for (let i = from; i < end; i += 1) {
    const { length: sealedBytes } = sealedAt(i);
    const body = standsApart(sealedBytes) ? hashBytes : sealedBytes;
    length += hashBytes + varintBytes(sealedBytes) + body;
  }
  const bytes = new Uint8Array(length);
  let at = putVarint(bytes, 0, first);
  at = putVarint(bytes, at, height);
  at = putVarint(bytes, at, end - from);
  for (let i = from; i < end; i += 1) {
    const { recordHash, sealDigest } = defined(leaves[i], "a leaf");
    bytes.set(recordHash, at);
    const { length: sealedBytes } = sealedAt(i);
    at = putVarint(bytes, at + hashBytes, sealedBytes);
    if (!standsApart(sealedBytes)) continue;
    bytes.set(sealDigest, at);
    at += hashBytes;
  }
  for (let i = from; i < end; i += 1) {
    const sealed = sealedAt(i);
    if (standsApart(sealed.length)) continue;
    bytes.set(sealed, at);
    at += sealed.length;
  }
  return bytes;

  function sealedAt(i: number): Uint8Array {
    return defined(sealedRecords[i], "each leaf has its sealed record");
  }
}

/** A segment that was read. Its parts are views, made when they are asked for. */
export class Segment {
  readonly first: number;
  /** The position behind its last record. */
  readonly end: number;
  /** Of the block to which its records belong. */
  readonly height: number;
  readonly #bytes: Uint8Array;
  /** Of each record: where its hash is, the length of the sealed record, and where that is. */
  readonly #places: Float64Array;

  /** @throws StoreError CORRUPT */
  constructor([key, value]: Entry) {
    this.first = positionOf(key);
    this.#bytes = value;
    const reader = new StoredReader(value, `the segment of sealed records from ${this.first} on`);
    if (reader.varint() !== this.first) throw reader.damage();
    this.height = reader.varint();
    const count = reader.varint();
    if (count === 0 || count * hashBytes > value.length) throw reader.damage();
    this.end = this.first + count;
    this.#places = new Float64Array(placeNumbers * count);
    for (let i = 0; i < this.#places.length; i += placeNumbers) {
      this.#places[i] = reader.skip(hashBytes);
      const length = reader.varint();
      this.#places[i + 1] = length;
      if (standsApart(length)) reader.skip(hashBytes);
    }
    for (let i = 0; i < this.#places.length; i += placeNumbers) {
      const length = this.#places[i + 1] as number;
      this.#places[i + 2] = standsApart(length) ? apart : reader.skip(length);
    }
    if (reader.left > 0) throw reader.damage();
  }

  covers(position: number): boolean {
    return position >= this.first && position < this.end;
  }

  /** 32 bytes. Here and below, the position must be one that this segment covers. */
  recordHash(position: number): Uint8Array {
    const at = this.#place(position, 0);
    return this.#bytes.subarray(at, at + hashBytes);
  }

  /** The length of a sealed record. */
  length(position: number): number {
    return this.#place(position, 1);
  }

  /** Undefined for a record that stands apart. */
  sealed(position: number): Uint8Array | undefined {
    const at = this.#place(position, 2);
    return at === apart ? undefined : this.#bytes.subarray(at, at + this.length(position));
  }

  /** 32 bytes. */
  sealDigest(position: number): Uint8Array {
    const sealed = this.sealed(position);
    if (sealed !== undefined) return sha256(sealed);
    const at = this.#place(position, 0) + hashBytes + varintBytes(this.length(position));
    return this.#bytes.subarray(at, at + hashBytes);
  }

  /** RFC 9162 leaf hash of the record, 32 bytes. */
  leafHash(position: number): Uint8Array {
    const recordHash = this.recordHash(position);
    return leafHashOf({ recordHash, sealDigest: this.sealDigest(position) });
  }

  #place(position: number, number: number): number {
    const place = this.#places[(position - this.first) * placeNumbers + number];
    return defined(place, "a position in the segment");
  }
}

const placeNumbers = 3;
/** Where the sealed record is, for one that stands apart. */
const apart = -1;

/** @throws StoreError CORRUPT */
export function decodeApart(position: number, value: Uint8Array): Uint8Array {
  const reader = new StoredReader(value, `the sealed record at position ${position}`);
  if (reader.varint() !== position) throw reader.damage();
  return reader.rest();
}

/** The position in the key of a segment. */
export function positionOf(key: Uint8Array): number {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return Number(view.getBigUint64(1));
}
