/**
 * What is left out of a submission when it is relayed: records that its sender has refused, or that
 * are on the ledger. Others need not look at them, so a refused record costs one manager and not
 * all. Should one that leaves out more than it ought to be the first to relay a submission, then
 * whoever its submitter sends it to next brings the rest: what grows there is relayed from there.
 */
import type { ParsedRecord } from "../../ledger/records/records.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";

/** Indexes of the records, hashes in hex, that are not among `open`; ascending. */
export function leftOutOf(
  { records }: Pick<ParsedSubmission, "records">,
  open: Pick<ReadonlySet<string>, "has">,
): readonly number[] {
  return [...records.keys()].filter((index) => !open.has(records[index]?.hashHex ?? ""));
}

/** Of records, in hex. */
export function hashesOf(records: readonly ParsedRecord[]): ReadonlySet<string> {
  return new Set(records.map(({ hashHex }) => hashHex));
}

/** The submission with only those records that are not left out. */
export function openPart(
  submission: ParsedSubmission,
  leftOut: readonly number[],
): ParsedSubmission {
  if (leftOut.length === 0) return submission;
  const out = new Set(leftOut);
  return { ...submission, records: submission.records.filter((_, index) => !out.has(index)) };
}
