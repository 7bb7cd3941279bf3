/**
 * What somebody has worked out already of submissions and records that a block may hold. It follows
 * from their bytes alone, so whoever finds it under a digest of the same bytes need not do it
 * again: parsing, hashing, sealing. What depends on the order of a block is not among it.
 *
 * The keys bind exact bytes: a submission's id its header and signature, and the header the hashes
 * of its records; a record's hash its bytes. So nothing depends on who names a key, or in which
 * block.
 */
import type { KnownSeals } from "../records/records.js";
import type { ParsedSubmission } from "../records/submissions.js";

export type KnownWork = KnownSeals & {
  /** By id in hex: as `parseSubmission` read it, for this consortium and policy. */
  submission(idHex: string): ParsedSubmission | undefined;
};

export const nothingKnown: KnownWork = {
  submission: () => undefined,
  sealed: () => undefined,
};
