/**
 * What is kept for intervals: the standing values of a meter, and the sums of energy of a
 * participant. The values of 96 consecutive intervals, a *window*, stand under one key. A window of
 * quarters is a day, one of hours four days, one of five minutes eight hours. So a day of 96 values
 * costs two keys, and a value that comes alone rewrites a window and not more: some 400 bytes of
 * one that is full, at most 2,700 of values and 3,300 of sums, whatever the interval is.
 *
 * A window is its intervals that have a value, in order, each with an integer in front that says
 * how many before it have none (gap), and which of its numbers are not 0. Only these follow. All
 * are integers of compact.ts.
 *
 *     value    4 · gap + 2 · imported? + exported?  ‖ imported, Wh ‖ exported, Wh ‖ position
 *     sums     9 · gap + 3 · out + in               ‖ exported ‖ sold ‖ imported ‖ bought, Wh
 *              out: 0 nothing, 1 exported, 2 exported and sold; in: 0 nothing, 1 imported, 2 imported and bought
 *
 * The position is that of the record in the Merkle log which the value is from. Only the first one
 * of a window is written as it is, and then what each is beyond the one before it: 2d, or −2d−1 if
 * d is negative. Sums that are all 0 have no bytes.
 */
import { assert } from "../../base/assert.js";
import { CompactReader, type CompactWriter } from "./compact.js";

/** Consecutive intervals of one length whose values stand under one key. */
export const windowIntervals = 96;

/** Where the value of an interval is. */
export type WindowSlot = {
  /** Number of the window, counted from the grid's first interval after 1970 began. */
  readonly window: number;
  /** From 0 to `windowIntervals` − 1. */
  readonly slot: number;
};

/** The values of a window by slot. */
export type WindowValues<Value> = (Value | undefined)[];

/** The value that stands for an interval of a meter. */
export type StandingReading = {
  readonly importedWh: number;
  readonly exportedWh: number;
  /** Index in the Merkle log of the record that it is from. */
  readonly position: number;
};

/** A participant's sums in a delivery interval. */
export type StoredSums = {
  readonly importedWh: number;
  readonly exportedWh: number;
  /** At most `exportedWh`. */
  readonly soldWh: number;
  /** At most `importedWh`. */
  readonly boughtWh: number;
};

/** Writes a value, or takes away what is there. */
export function setSlot<Value>(
  values: WindowValues<Value>,
  slot: number,
  value: Value | undefined,
): void {
  // No holes: arrays without them are faster, and deeply equal to decoded ones.
  while (values.length < slot) values.push(undefined);
  values[slot] = value;
}

/** Positions differ by less than this, so that twice the difference is exact in a double. */
const positionMax = 2 ** 52;

export function encodeReadings(
  values: WindowValues<StandingReading>,
  out: CompactWriter,
): Uint8Array {
  let gap = 0;
  let before: number | undefined;
  for (const value of values) {
    if (value === undefined) {
      gap += 1;
      continue;
    }
    const { importedWh, exportedWh, position } = value;
    assert(position < positionMax, "a log has fewer than 2^52 records");
    out.uint(4 * gap + (importedWh > 0 ? 2 : 0) + (exportedWh > 0 ? 1 : 0));
    if (importedWh > 0) out.uint(importedWh);
    if (exportedWh > 0) out.uint(exportedWh);
    const beyond = before === undefined ? undefined : position - before;
    if (beyond === undefined) out.uint(position);
    else out.uint(beyond < 0 ? -2 * beyond - 1 : 2 * beyond);
    before = position;
    gap = 0;
  }
  return out.take();
}

/** Reads what `encodeReadings` wrote; undefined for any other bytes. */
export function decodeReadings(bytes: Uint8Array): WindowValues<StandingReading> | undefined {
  const from = new CompactReader(bytes);
  const values: WindowValues<StandingReading> = [];
  let before: number | undefined;
  while (from.hasMore) {
    const head = from.uint();
    skipGap(values, Math.floor(head / 4), from);
    const importedWh = (head & 2) === 0 ? 0 : positive(from);
    const exportedWh = (head & 1) === 0 ? 0 : positive(from);
    const written = from.uint();
    let position = written;
    if (before !== undefined) {
      position = before + (written % 2 === 0 ? written / 2 : -(written + 1) / 2);
    }
    if (position < 0 || position >= positionMax) from.refuse();
    values.push({ importedWh, exportedWh, position });
    before = position;
  }
  return from.isWhole ? values : undefined;
}

export function encodeSums(values: WindowValues<StoredSums>, out: CompactWriter): Uint8Array {
  let gap = 0;
  for (const value of values) {
    if (value === undefined || (value.importedWh === 0 && value.exportedWh === 0)) {
      gap += 1;
      continue;
    }
    const { importedWh, exportedWh, soldWh, boughtWh } = value;
    out.uint(9 * gap + 3 * direction(exportedWh, soldWh) + direction(importedWh, boughtWh));
    if (exportedWh > 0) out.uint(exportedWh);
    if (soldWh > 0) out.uint(soldWh);
    if (importedWh > 0) out.uint(importedWh);
    if (boughtWh > 0) out.uint(boughtWh);
    gap = 0;
  }
  return out.take();
}

/** Reads what `encodeSums` wrote; undefined for any other bytes. */
export function decodeSums(bytes: Uint8Array): WindowValues<StoredSums> | undefined {
  const from = new CompactReader(bytes);
  const values: WindowValues<StoredSums> = [];
  while (from.hasMore) {
    const head = from.uint();
    const directions = head % 9;
    skipGap(values, (head - directions) / 9, from);
    if (directions === 0) from.refuse();
    const exportedWh = directions >= 3 ? positive(from) : 0;
    const soldWh = directions >= 6 ? positive(from) : 0;
    const importedWh = directions % 3 >= 1 ? positive(from) : 0;
    const boughtWh = directions % 3 === 2 ? positive(from) : 0;
    if (soldWh > exportedWh || boughtWh > importedWh) from.refuse();
    values.push({ importedWh, exportedWh, soldWh, boughtWh });
  }
  return from.isWhole ? values : undefined;
}

/** What was traded is part of what was metered, so there are three cases and not four. */
function direction(meteredWh: number, tradedWh: number): number {
  if (meteredWh === 0) return 0;
  return tradedWh === 0 ? 1 : 2;
}

function skipGap(values: WindowValues<unknown>, gap: number, from: CompactReader): void {
  if (values.length + gap >= windowIntervals) {
    from.refuse();
    return;
  }
  for (let i = 0; i < gap; i++) values.push(undefined);
}

function positive(from: CompactReader): number {
  const value = from.uint();
  if (value === 0) from.refuse();
  return value;
}
