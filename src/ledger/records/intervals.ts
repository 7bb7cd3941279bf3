/**
 * How much there is to do for a record. A load profile has few bytes for each of its intervals, or
 * none where a run of them is absent or 0, but each is looked up and kept. So what bounds records
 * by their number and bytes does not bound their work, and intervals are counted besides.
 */

import type { RecordOf } from "../kinds/kind.js";
import { kindOf, type Payload } from "../kinds/kinds.js";

/** The most intervals of all records of a submission: some 1,000 days of quarters. */
export const submissionIntervalsMax = 100_000;
/** The most intervals of all records of a block. */
export const blockIntervalsMax = 500_000;

/** So many intervals of a profile are as much work as a record by itself. */
const intervalsOfWork = 128;

export function intervalsOf(records: readonly Pick<RecordOf<Payload>, "payload">[]): number {
  return records.reduce((sum, record) => sum + kindOf(record).intervals(record.payload), 0);
}

/** The work that a record causes, in records of an ordinary size: 1 and more. */
export function workOf(record: Pick<RecordOf<Payload>, "payload">): number {
  return 1 + Math.floor(kindOf(record).intervals(record.payload) / intervalsOfWork);
}

export function workOfAll(records: readonly Pick<RecordOf<Payload>, "payload">[]): number {
  return records.reduce((sum, record) => sum + workOf(record), 0);
}
