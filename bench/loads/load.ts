/**
 * The loads of a run. A *closed* loop keeps a number of submissions in flight: it shows what the
 * consortium can do, and slows down with it. An *open* loop submits by a schedule, as meters do,
 * whatever the consortium does: it shows what a participant feels.
 */

export type ClosedLoad = {
  readonly kind: "closed";
  /** Records of one submission. */
  readonly batchRecords: number;
  /** Submissions without an answer at any time. */
  readonly inFlight: number;
};

export type OpenLoad = {
  readonly kind: "open";
  readonly batchRecords: number;
  /** Submissions that come due in a second, at even distances. */
  readonly perS: number;
};

export type Load = ClosedLoad | OpenLoad;

const closed = (batchRecords: number, inFlight: number): ClosedLoad => {
  return { kind: "closed", batchRecords, inFlight };
};
const open = (batchRecords: number, perS: number): OpenLoad => {
  return { kind: "open", batchRecords, perS };
};

/** One at a time, many at a time, and two schedules well below what one machine manages. */
export const fewLoads: readonly Load[] = [
  closed(1, 1),
  closed(1, 16),
  closed(1, 256),
  closed(100, 64),
  closed(1_000, 16),
  open(1, 20),
  open(100, 4),
];

export const allLoads: readonly Load[] = [
  ...[1, 10, 100, 1_000].flatMap((records) =>
    [1, 16, 64, 256].map((inFlight) => closed(records, inFlight)),
  ),
  ...[1, 10, 100, 1_000].flatMap((records) =>
    [1, 5, 20].filter((perS) => records * perS <= 2_000).map((perS) => open(records, perS)),
  ),
];

/** "100 x 64": records of a submission and submissions in flight; "100 at 4/s" for a schedule. */
export function loadName(load: Load): string {
  if (load.kind === "closed") return `${load.batchRecords} x ${load.inFlight}`;
  return `${load.batchRecords} at ${load.perS}/s`;
}

/** The load of such a name. Throws for any other text. */
export function parseLoad(text: string): Load {
  const [, batchRecords, between, number] =
    /^\s*(\d+)\s*(x| at )\s*(\d+(?:\.\d+)?)(?:\/s)?\s*$/.exec(text) ?? [];
  const [records, count] = [Number(batchRecords), Number(number)];
  if (records >= 1 && count > 0) {
    if (between !== "x") return open(records, count);
    if (Number.isInteger(count)) return closed(records, count);
  }
  throw new Error(`"${text}" is no load: write "100 x 64" or "100 at 4/s"`);
}
