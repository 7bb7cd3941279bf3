/**
 * The loads of a run: loops (src/cli/bench/loop.ts) of single readings, or of load profiles of
 * `profileValues` quarter-hours each.
 */
import type { ClosedLoop, OpenLoop } from "../../src/cli/bench/loop.js";

export type LoadRecords = "readings" | "profiles";

/** Values of one load profile: a day of quarter-hours. */
export const profileValues = 96;

export type ClosedLoad = ClosedLoop & { readonly of: LoadRecords };
export type OpenLoad = OpenLoop & { readonly of: LoadRecords };
export type Load = ClosedLoad | OpenLoad;

const closed = (
  batchRecords: number,
  inFlight: number,
  of: LoadRecords = "readings",
): ClosedLoad => {
  return { kind: "closed", of, batchRecords, inFlight };
};
const open = (batchRecords: number, perS: number, of: LoadRecords = "readings"): OpenLoad => {
  return { kind: "open", of, batchRecords, perS };
};

/** One at a time, many at a time, and two schedules well below what one machine manages. */
export const fewLoads: readonly Load[] = [
  closed(1, 1),
  closed(1, 16),
  closed(1, 256),
  closed(100, 64),
  closed(1_000, 16),
  closed(1, 16, "profiles"),
  closed(100, 64, "profiles"),
  open(1, 20),
  open(100, 4),
];

export const allLoads: readonly Load[] = [
  ...[1, 10, 100, 1_000].flatMap((records) =>
    [1, 16, 64, 256].map((inFlight) => closed(records, inFlight)),
  ),
  ...[1, 100].flatMap((records) => [16, 64].map((each) => closed(records, each, "profiles"))),
  ...[1, 10, 100, 1_000].flatMap((records) =>
    [1, 5, 20].filter((perS) => records * perS <= 2_000).map((perS) => open(records, perS)),
  ),
];

/** Values of one record of the load. */
export function valuesPerRecord({ of }: Load): number {
  return of === "profiles" ? profileValues : 1;
}

/**
 * "100 x 64": records of a submission and submissions in flight; "100 at 4/s" for a schedule;
 * "100 profiles x 64" for load profiles.
 */
export function loadName(load: Load): string {
  const records = `${load.batchRecords}${load.of === "profiles" ? " profiles" : ""}`;
  if (load.kind === "closed") return `${records} x ${load.inFlight}`;
  return `${records} at ${load.perS}/s`;
}

/** The load of such a name. Throws for any other text. */
export function parseLoad(text: string): Load {
  const [, batchRecords, profiles, between, number] =
    /^\s*(\d+)( profiles)?\s*(x| at )\s*(\d+(?:\.\d+)?)(?:\/s)?\s*$/.exec(text) ?? [];
  const [records, count] = [Number(batchRecords), Number(number)];
  const of = profiles === undefined ? "readings" : "profiles";
  if (records >= 1 && count > 0) {
    if (between !== "x") return open(records, count, of);
    if (Number.isInteger(count)) return closed(records, count, of);
  }
  throw new Error(`"${text}" is no load: write "100 x 64", "100 profiles x 64" or "100 at 4/s"`);
}
