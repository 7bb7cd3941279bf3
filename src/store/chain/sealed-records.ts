/**
 * Reading sealed records by position. A record's segment is the last one that begins at or before
 * it, so each read is a range of one entry; positions that lie close together share their reads.
 */
import { defined } from "../../base/assert.js";
import { buckets } from "../buckets.js";
import { bucketRange } from "../key-codec.js";
import { type Entry, type KeyValueStore, rangeLimitMax } from "../key-value-store.js";
import { decodeApart, positionOf, Segment, segmentKeys } from "./segments.js";
import { damaged, getAll, present } from "./stored-values.js";

export type SealedRecord = {
  /** Of its block. */
  readonly height: number;
  /** 32 bytes. */
  readonly recordHash: Uint8Array;
  readonly sealed: Uint8Array;
};

/** Where a record stands. */
export type PlacedRecord = {
  /** Of its block. */
  readonly height: number;
  /** Index of its leaf in the Merkle log. */
  readonly position: number;
  /** 32 bytes each. */
  readonly recordHash: Uint8Array;
  readonly sealDigest: Uint8Array;
};

/** A sealed record and where it stands. */
export type PlacedSealedRecord = SealedRecord & PlacedRecord;

type Reads = Pick<KeyValueStore, "getMany" | "range">;

/**
 * Positions at most so far apart are read with what lies between them: the first for any segments,
 * the second if those beside them have so many records that few lie between.
 */
const gapMin = 4;
const gapMax = 32;
/** So few positions are looked up one by one, as a second look costs more than reads in vain. */
const fewPositions = 16;

const { gte: firstSegment } = bucketRange(buckets.segment);

/**
 * The segments that hold these positions, ascending; those that hold none of them may be among
 * them. A position that no segment holds has none.
 *
 * @throws StoreError CORRUPT
 */
export async function readSegments(
  kv: Reads,
  positions: readonly number[],
): Promise<readonly Segment[]> {
  const groups = neighbours(positions, positions.length <= fewPositions ? gapMin : gapMax);
  const segments = new Map<number, Segment>();
  const take = (found: readonly (readonly Entry[])[]) => {
    for (const entry of found.flat()) {
      if (!segments.has(positionOf(entry[0]))) {
        const segment = new Segment(entry);
        segments.set(segment.first, segment);
      }
    }
  };
  // What is asked for in one turn travels in one message to the thread that reads.
  const lasts = await Promise.all(groups.map((group) => lastUpTo(kv, lastOf(group))));
  take(lasts);
  const open = groups.flatMap((group, i) => {
    const key = lasts[i]?.[0]?.[0];
    const segment = key && segments.get(positionOf(key));
    if (segment === undefined) return [];
    const before = group.filter((position) => position < segment.first);
    const gap = Math.min(gapMax, Math.max(gapMin, segment.end - segment.first));
    return neighbours(before, gap);
  });
  take(
    await Promise.all(
      open.flatMap((group) => {
        const first = defined(group[0], "a group has positions");
        return [lastUpTo(kv, first), between(kv, first + 1, lastOf(group) + 1)];
      }),
    ),
  );
  return [...segments.values()].sort((a, b) => a.first - b.first);
}

/** Groups of positions each of which is at most `gap` from the next, ascending. */
function neighbours(positions: readonly number[], gap: number): readonly (readonly number[])[] {
  const groups: number[][] = [];
  let group: number[] = [];
  for (const position of [...positions].sort((a, b) => a - b)) {
    if (group.length === 0 || position - lastOf(group) > gap) {
      group = [];
      groups.push(group);
    }
    group.push(position);
  }
  return groups;
}

function lastOf(group: readonly number[]): number {
  return defined(group.at(-1), "a group has positions");
}

/** The segments of neighbouring records, from `first` to before `end`, without a gap. */
export async function readSegmentsOf(
  kv: Reads,
  first: number,
  end: number,
): Promise<readonly Segment[]> {
  if (first === end) return [];
  const reads = [lastUpTo(kv, first), between(kv, first + 1, end)];
  const entries = (await Promise.all(reads)).flat();
  const segments = entries.map((entry) => new Segment(entry));
  let next = first;
  for (const segment of segments) {
    if (!segment.covers(next)) throw missing(next);
    next = segment.end;
  }
  if (next < end) throw missing(next);
  return segments;
}

/** In the order of the positions; undefined for what is not there. @throws StoreError CORRUPT */
export async function readSealed(
  kv: Reads,
  positions: readonly number[],
): Promise<readonly (SealedRecord | undefined)[]> {
  return sealedIn(kv, await readSegments(kv, positions), positions);
}

/** Those at the positions, some of which may be in none of the segments. */
export async function sealedIn(
  kv: Reads,
  segments: readonly Segment[],
  positions: readonly number[],
): Promise<readonly (SealedRecord | undefined)[]> {
  const wanted = [...new Set(positions)].filter((position) => {
    const segment = holderOf(segments, position);
    return segment !== undefined && segment.sealed(position) === undefined;
  });
  const values = await getAll(kv, wanted.map(segmentKeys.apart));
  const apart = new Map(wanted.map((position, i) => [position, values[i]]));
  return positions.map((position) => {
    const segment = holderOf(segments, position);
    if (segment === undefined) return undefined;
    const what = `the sealed record at position ${position}`;
    const within = segment.sealed(position);
    const sealed = within ?? decodeApart(position, present(apart.get(position), what));
    if (sealed.length !== segment.length(position)) throw damaged(what, "has another length");
    return { height: segment.height, recordHash: segment.recordHash(position), sealed };
  });
}

/** Those that are read together have so many bytes at most, or are one. */
const pieceBytesMax = 2 ** 20;
const piecePositions = 100;

/**
 * Records by their positions, in that order, as fast as they are taken: in pieces, as reading each
 * by itself takes longer.
 *
 * @throws StoreError CORRUPT for one that is not there
 */
export async function* readRecords(
  kv: Reads,
  positions: readonly number[],
): AsyncGenerator<PlacedSealedRecord, void, undefined> {
  for (let from = 0; from < positions.length; from += piecePositions) {
    const piece = positions.slice(from, from + piecePositions);
    const segments = await readSegments(kv, piece);
    for (const part of partsOf(segments, piece)) {
      const sealed = await sealedIn(kv, segments, part);
      for (const [i, position] of part.entries()) {
        const what = `the sealed record at position ${position}`;
        const record = present(sealed[i], what);
        const sealDigest = heldBy(segments, position).sealDigest(position);
        yield { ...record, position, sealDigest };
      }
    }
  }
}

/** The same without the records: those that stand apart are not read. */
export async function* readPlaces(
  kv: Reads,
  positions: readonly number[],
): AsyncGenerator<PlacedRecord, void, undefined> {
  for (let from = 0; from < positions.length; from += piecePositions) {
    const piece = positions.slice(from, from + piecePositions);
    const segments = await readSegments(kv, piece);
    for (const position of piece) {
      const segment = heldBy(segments, position);
      yield {
        height: segment.height,
        position,
        recordHash: segment.recordHash(position),
        sealDigest: segment.sealDigest(position),
      };
    }
  }
}

/** The positions in parts whose records are not too long together. */
function* partsOf(
  segments: readonly Segment[],
  positions: readonly number[],
): Generator<readonly number[], void, undefined> {
  let part: number[] = [];
  let byteCount = 0;
  for (const position of positions) {
    const length = heldBy(segments, position).length(position);
    if (part.length > 0 && byteCount + length > pieceBytesMax) {
      yield part;
      part = [];
      byteCount = 0;
    }
    part.push(position);
    byteCount += length;
  }
  if (part.length > 0) yield part;
}

function heldBy(segments: readonly Segment[], position: number): Segment {
  const segment = holderOf(segments, position);
  if (segment === undefined) throw missing(position);
  return segment;
}

/** The segment among them, ascending, that holds the position. */
export function holderOf(segments: readonly Segment[], position: number): Segment | undefined {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (defined(segments[middle], "a segment").first <= position) low = middle + 1;
    else high = middle;
  }
  const segment = segments[low - 1];
  return segment?.covers(position) === true ? segment : undefined;
}

function lastUpTo(kv: Reads, position: number): Promise<readonly Entry[]> {
  const lt = segmentKeys.segment(position + 1);
  return kv.range({ gte: firstSegment, lt, reverse: true, limit: 1 });
}

/** A segment begins at most once at each position. */
async function between(kv: Reads, first: number, end: number): Promise<readonly Entry[]> {
  if (first >= end) return [];
  const limit = Math.min(end - first, rangeLimitMax);
  const range = { gte: segmentKeys.segment(first), lt: segmentKeys.segment(end), limit };
  return kv.range(range);
}

function missing(position: number) {
  return damaged(`the sealed record at position ${position}`, "is missing");
}
