/**
 * Records by participant and by meter, in the order of their times: what managers answer
 * ListRecords from. A trade stands in the lists of its owner, the seller, and of its buyer. Each
 * row is of one block:
 *
 *     participant ‖ i64 time ‖ u64 position ──▶ nothing        likewise by meter, in lower case
 *         one record
 *     participant ‖ i64 day ‖ i64 last time ‖ u64 first position ──▶ run
 *         all that the block has of this participant and UTC day, if these are four or more
 *     participant ‖ i64 day ──▶ what all runs of the day cost a page
 *
 * So a day of readings in one submission is one run. A page merges both kinds of rows. It reads the
 * runs of its days that end at or after the place where it begins; in between, nothing can be left
 * out. As times may be as old as anybody likes, any number of blocks can have records of one day.
 * When its runs cost `dayCostMax`, what follows of that day stands in rows of single records, of
 * which a page reads no more than it has. So whatever was written, a page takes a bounded time.
 *
 * A page continues after a place in the list, not after a number of entries. So records that are
 * added in between, which may have old times, neither shift a page nor make one repeat.
 */
import { assert, defined } from "../../base/assert.js";
import type { PlacedRecord } from "../../ledger/blocks/execution.js";
import { foldedId } from "../../ledger/ids.js";
import { buckets } from "../buckets.js";
import { bucketKey, bucketRange, i64Part, KeyReader, textPart, u64Part } from "../key-codec.js";
import {
  type Entry,
  type KeyValueStore,
  keyAfter,
  rangeLimitMax,
  type WriteOperation,
} from "../key-value-store.js";
import { getAll } from "./stored-values.js";
import { encodeVarints, StoredReader } from "./varint.js";

/** A place in a list. */
export type ListPlace = {
  /** The record's time, Unix ms. */
  readonly timeMs: number;
  /** Index in the Merkle log. */
  readonly position: number;
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

type Index = {
  readonly single: typeof buckets.ownerIndex | typeof buckets.meterIndex;
  readonly run: typeof buckets.ownerRun | typeof buckets.meterRun;
  readonly cost: typeof buckets.ownerRunCost | typeof buckets.meterRunCost;
};

const byOwner: Index = {
  single: buckets.ownerIndex,
  run: buckets.ownerRun,
  cost: buckets.ownerRunCost,
};
const byMeter: Index = {
  single: buckets.meterIndex,
  run: buckets.meterRun,
  cost: buckets.meterRunCost,
};

/** A run and what its day costs are two values: fewer records are as few by themselves. */
const runPlacesMin = 4;
/** What reading a row costs, in places of a run. */
const rowCost = 16;
/** A page reads runs of so much of a day, about 6 ms, and the last one that was begun within it. */
const dayCostMax = 32_768;

const dayMs = 86_400_000;
const nothing = new Uint8Array(0);

/**
 * The entries of the records of a block, which depend on those of the blocks before: `kv` must have
 * exactly these.
 */
export async function recordIndexWrites(
  kv: Pick<KeyValueStore, "getMany">,
  placed: readonly PlacedRecord[],
): Promise<WriteOperation[]> {
  const owners = new Groups(byOwner);
  const meters = new Groups(byMeter);
  for (const { record, position } of placed) {
    const place = { timeMs: record.timeMs, position };
    owners.add(record.ownerId, place);
    for (const id of record.parties) owners.add(id, place);
    for (const id of record.meterIds) meters.add(foldedId(id), place);
  }
  const groups = [...owners.groups(), ...meters.groups()];
  const long = groups.filter(({ places }) => places.length >= runPlacesMin);
  const costs = await getAll(kv, long.map(costKey));
  const costBefore = new Map(long.map((group, i) => [group, decodeCost(costs[i])]));
  return groups.flatMap((group) => groupWrites(group, costBefore.get(group)));
}

type Group = {
  readonly index: Index;
  readonly id: string;
  readonly day: number;
  readonly places: ListPlace[];
};

/** Places by id and UTC day. */
class Groups {
  readonly #index: Index;
  readonly #groups = new Map<string, Group>();
  #last: Group | undefined;

  constructor(index: Index) {
    this.#index = index;
  }

  groups(): IterableIterator<Group> {
    return this.#groups.values();
  }

  add(id: string, place: ListPlace): void {
    const day = dayOf(place.timeMs);
    // Records of a submission mostly follow each other in the same lists.
    let group = this.#last;
    if (group?.id !== id || group.day !== day) {
      const key = `${day} ${id}`;
      group = this.#groups.get(key) ?? { index: this.#index, id, day, places: [] };
      this.#groups.set(key, group);
      this.#last = group;
    }
    // A record stands once in a list, however often it names the id.
    if (group.places.at(-1)?.position !== place.position) group.places.push(place);
  }
}

/** `cost`: of the day's runs that were written before; undefined for too short a run. */
function groupWrites(group: Group, cost: number | undefined): WriteOperation[] {
  const { index, id, places } = group;
  if (cost === undefined || cost >= dayCostMax) {
    return places.map((place) => ({
      type: "put",
      key: singleKey(index, id, place),
      value: nothing,
    }));
  }
  const value = encodeVarints([cost + rowCost + places.length]);
  const run = runWrite(index, id, places.sort(comparePlaces));
  return [run, { type: "put", key: costKey(group), value }];
}

/** The records of a participant, owner or party, ascending by time and then position. */
export function listByParticipant(
  kv: KeyValueStore,
  participantId: string,
  options: ListOptions,
): Promise<readonly ListPlace[]> {
  return list(kv, byOwner, participantId, options);
}

/**
 * The readings of a meter, whose id may be in any case: all versions, ascending by time and then
 * position.
 */
export function listByMeter(
  kv: KeyValueStore,
  meterId: string,
  options: ListOptions,
): Promise<readonly ListPlace[]> {
  return list(kv, byMeter, foldedId(meterId), options);
}

async function list(
  kv: KeyValueStore,
  index: Index,
  id: string,
  { fromMs, toMs, after, limit }: ListOptions,
): Promise<readonly ListPlace[]> {
  assert(limit >= 1 && limit <= rangeLimitMax, `a page of ${limit} records`);
  const start = startOf(fromMs, after);
  const end = toMs === undefined ? undefined : { timeMs: toMs, position: 0 };
  if (start !== undefined && end !== undefined && comparePlaces(start, end) >= 0) return [];
  const singles = await listSingles(kv, index, id, { start, end, limit });
  // What lies behind a full page of singles cannot be on it.
  const last = singles.length < limit ? undefined : singles.at(-1);
  const found: ListPlace[] = [];
  let singlesBefore = 0;
  for await (const places of runsFrom(kv, index, id, { start, end: last ?? end, limit })) {
    for (const place of places) found.push(place);
    // The runs of a day were all read: nothing is missing in front of its end.
    const nextDay = dayOf(defined(places[0], "a day has a place").timeMs) + 1;
    while (dayOf(singles[singlesBefore]?.timeMs ?? Infinity) < nextDay) singlesBefore += 1;
    if (found.length + singlesBefore >= limit) break;
  }
  return [...singles, ...found].sort(comparePlaces).slice(0, limit);
}

type Bounds = {
  /** The first place that may be listed; from the beginning when it is undefined. */
  readonly start: ListPlace | undefined;
  /** The first place behind; without end when it is undefined. */
  readonly end: ListPlace | undefined;
};

function startOf(fromMs: number | undefined, after: ListPlace | undefined): ListPlace | undefined {
  const from = fromMs === undefined ? undefined : { timeMs: fromMs, position: 0 };
  const next = after && { timeMs: after.timeMs, position: after.position + 1 };
  if (from === undefined || next === undefined) return from ?? next;
  return comparePlaces(from, next) > 0 ? from : next;
}

async function listSingles(
  kv: KeyValueStore,
  index: Index,
  id: string,
  { start, end, limit }: Bounds & { readonly limit: number },
): Promise<readonly ListPlace[]> {
  const whole = bucketRange(index.single, textPart(id));
  const gte = start === undefined ? whole.gte : singleKey(index, id, start);
  const lt = end === undefined ? whole.lt : singleKey(index, id, end);
  const entries = await kv.range({ gte, lt, limit });
  return entries.map(([key]) => {
    const reader = new KeyReader(key, index.single);
    reader.text();
    const timeMs = Number(reader.i64());
    const position = Number(reader.u64());
    reader.end();
    return { timeMs, position };
  });
}

/**
 * Day after day, the places within the bounds that stand in runs: all of a day, or as many as a
 * page takes; no day without any.
 */
async function* runsFrom(
  kv: KeyValueStore,
  index: Index,
  id: string,
  { start, end, limit }: Bounds & { readonly limit: number },
): AsyncGenerator<readonly ListPlace[], void, void> {
  const { lt } = bucketRange(index.run, textPart(id));
  let gte = bucketRange(index.run, textPart(id)).gte;
  if (start !== undefined) {
    const { timeMs } = start;
    gte = bucketKey(index.run, textPart(id), i64Part(dayOf(timeMs)), i64Part(timeMs));
  }
  let day: number | undefined;
  let places: ListPlace[] = [];
  for await (const [key, value] of growingPages(kv, gte, lt)) {
    const run = decodeRun(index, key, value);
    if (end !== undefined && run.day * dayMs > end.timeMs) break;
    if (run.day !== day && places.length > 0) {
      yield places;
      places = [];
    }
    day = run.day;
    for (const place of run.places) {
      if (start !== undefined && comparePlaces(place, start) < 0) continue;
      if (end !== undefined && comparePlaces(place, end) >= 0) continue;
      places.push(place);
    }
    if (places.length > placesMax(limit)) places = places.sort(comparePlaces).slice(0, limit);
  }
  if (places.length > 0) yield places;
}

/** A few rows first, as they have a day of a meter's readings each. */
async function* growingPages(
  kv: KeyValueStore,
  first: Uint8Array,
  lt: Uint8Array,
): AsyncGenerator<Entry, void, void> {
  let gte = first;
  for (let limit = rowsMin; ; limit = Math.min(2 * limit, rowsMax)) {
    const page = await kv.range({ gte, lt, limit });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < limit) return;
    gte = keyAfter(last[0]);
  }
}

const rowsMin = 4;
const rowsMax = 256;

/** How many are kept of a day while it is read. */
function placesMax(limit: number): number {
  return 4 * limit + 1_024;
}

/** Days since 1970, of UTC. */
function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs);
}

function costKey({ index, id, day }: Group): Uint8Array {
  return bucketKey(index.cost, textPart(id), i64Part(day));
}

/** @throws StoreError CORRUPT */
function decodeCost(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : new StoredReader(value, "the cost of runs of an index").varint();
}

function singleKey({ single }: Index, id: string, { timeMs, position }: ListPlace): Uint8Array {
  return bucketKey(single, textPart(id), i64Part(timeMs), u64Part(position));
}

function comparePlaces(a: ListPlace, b: ListPlace): number {
  return a.timeMs - b.timeMs || a.position - b.position;
}

/** What a run counts times in, from its day's beginning: the longest that divides all of them. */
const units = [60_000, 1_000, 1] as const;

/**
 * `places` in the order of the list. The run begins with its unit, by number. Each
 * place follows as two numbers: units since the one before, and twice the difference of positions
 * to the one before, one less if that is negative (the first: of the lowest position).
 */
function runWrite({ run }: Index, id: string, places: readonly ListPlace[]): WriteOperation {
  const day = dayOf(defined(places[0], "a run has places").timeMs);
  const { timeMs: lastMs } = defined(places.at(-1), "a run has places");
  const lowest = places.reduce((least, { position }) => Math.min(least, position), Infinity);
  const unit = units.findIndex((ms) => places.every(({ timeMs }) => timeMs % ms === 0));
  const unitMs = defined(units[unit], "1 divides every time");
  const numbers = [unit];
  let before: ListPlace = { timeMs: day * dayMs, position: lowest };
  for (const place of places) {
    const step = place.position - before.position;
    numbers.push((place.timeMs - before.timeMs) / unitMs, step < 0 ? -2 * step - 1 : 2 * step);
    before = place;
  }
  const key = bucketKey(run, textPart(id), i64Part(day), i64Part(lastMs), u64Part(lowest));
  return { type: "put", key, value: encodeVarints(numbers) };
}

/** @throws StoreError CORRUPT */
function decodeRun(
  { run }: Index,
  key: Uint8Array,
  value: Uint8Array,
): { readonly day: number; readonly places: readonly ListPlace[] } {
  const keyReader = new KeyReader(key, run);
  keyReader.text();
  const day = Number(keyReader.i64());
  const lastMs = Number(keyReader.i64());
  let position = Number(keyReader.u64());
  keyReader.end();
  const reader = new StoredReader(value, "a run of an index");
  const unitMs = units[reader.varint()];
  if (unitMs === undefined) throw reader.damage();
  let timeMs = day * dayMs;
  const places: ListPlace[] = [];
  while (reader.left > 0) {
    timeMs += reader.varint() * unitMs;
    const step = reader.varint();
    position += step % 2 === 0 ? step / 2 : -(step + 1) / 2;
    places.push({ timeMs, position });
  }
  if (places.length < 2 || timeMs !== lastMs) throw reader.damage();
  return { day, places };
}
