/**
 * Submissions: 1 to policy.submission_records_max records under one signature.
 *
 *     header = {consortium_id, participant_id, record_hashes[]}
 *     signed: Ed25519 over SHA-256("bss/v1/submission" ‖ header_bytes)
 *
 * One signature for a whole batch is what makes bulk load affordable, because no step costs more
 * than verifying. The signature itself is an obligation (see signature-check.ts); parsing settles
 * the shape and that the header names exactly the records.
 */
import { defined } from "../../base/assert.js";
import { equalBytes, toHex } from "../../base/bytes.js";
import { ok, type Result } from "../../base/result.js";
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import { domain, sha256, taggedHash } from "../../crypto/hash.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import {
  type Submission,
  type SubmissionHeader,
  SubmissionHeaderSchema,
} from "../../gen/bss/v1/record_pb.js";
import { isId } from "../ids.js";
import { kindOf } from "../kinds/kinds.js";
import { profileListsBytesMax } from "../kinds/load-profile.js";
import { sealedMemoryBytes, submissionMemoryBytes } from "../message-sizes.js";
import { strictDecode } from "../strict-decode.js";
import { refuse, type Violation } from "../violation.js";
import { intervalsOf, submissionIntervalsMax, workOf } from "./intervals.js";
import { recordHashBytes } from "./record-hash.js";
import { type ParsedRecord, parseRecord } from "./records.js";

/** A header that is right by itself, with its signature, which is not verified yet. */
export type SignedHeader = {
  /** 32 bytes: SHA-256(header ‖ signature). */
  readonly id: Uint8Array;
  readonly idHex: string;
  readonly header: SubmissionHeader;
  /** The exact bytes. */
  readonly headerBytes: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
  /** Who signed. */
  readonly participantId: string;
};

export type ParsedSubmission = SignedHeader & {
  /** In the order of `header.recordHashes`. */
  readonly records: readonly ParsedRecord[];
  readonly message: Submission;
};

/**
 * SHA-256(header ‖ signature), 32 bytes: names a submission in pools and verdicts. The header's
 * length is implied, as a signature has 64 bytes.
 */
export function submissionId(headerBytes: Uint8Array, signature: Uint8Array): Uint8Array {
  return sha256(headerBytes, signature);
}

/** What the submitter signs: SHA-256("bss/v1/submission" ‖ header), 32 bytes. */
export function submissionDigest(headerBytes: Uint8Array): Uint8Array {
  return taggedHash(domain.submission, headerBytes);
}

/**
 * Parses a header and its signature. Refuses with SUBMISSION_MALFORMED, CONSORTIUM_MISMATCH,
 * TOO_MANY_RECORDS or RECORD_REPEATED.
 */
export function parseSignedHeader(
  consortiumId: Uint8Array,
  headerBytes: Uint8Array,
  signature: Uint8Array,
  policy: Policy,
): Result<SignedHeader, Violation> {
  const decoded = strictDecode(SubmissionHeaderSchema, headerBytes);
  if (!decoded.ok) {
    return refuse(
      "SUBMISSION_MALFORMED",
      `The header does not decode: ${decoded.error}.`,
      "header",
    );
  }
  const header = decoded.value;
  if (!equalBytes(header.consortiumId, consortiumId)) {
    return refuse(
      "CONSORTIUM_MISMATCH",
      "The submission is made for another consortium.",
      "header.consortium_id",
    );
  }
  if (!isId(header.participantId)) {
    return refuse(
      "SUBMISSION_MALFORMED",
      "The participant id is not an id.",
      "header.participant_id",
    );
  }
  if (signature.length !== ed25519SignatureBytes) {
    return refuse("SUBMISSION_MALFORMED", "A signature has 64 bytes.", "signature");
  }
  const hashes = checkHashes(header.recordHashes, policy.submissionRecordsMax);
  if (!hashes.ok) return hashes;
  const id = submissionId(headerBytes, signature);
  const participantId = header.participantId;
  return ok({ id, idHex: toHex(id), header, headerBytes, signature, participantId });
}

/**
 * Parses a submission with all of its records. Refuses as `parseSignedHeader` and `parseRecord` do,
 * and with RECORD_HASH_MISMATCH; `field` then starts with the place of the record, "records[3]".
 * TOO_MANY_RECORDS when all records are of more intervals than `submissionIntervalsMax`.
 */
export function parseSubmission(
  consortiumId: Uint8Array,
  submission: Submission,
  policy: Policy,
): Result<ParsedSubmission, Violation> {
  const parsing = parseInPieces(consortiumId, submission, policy);
  for (;;) {
    const step = parsing.next();
    if (step.done) return step.value;
  }
}

/** Parses a submission in pieces of a few ms, after each of which something else may be done. */
export function* parseInPieces(
  consortiumId: Uint8Array,
  submission: Submission,
  policy: Policy,
): Generator<undefined, Result<ParsedSubmission, Violation>> {
  const { header: headerBytes, signature } = submission;
  const header = parseSignedHeader(consortiumId, headerBytes, signature, policy);
  if (!header.ok) return header;
  const hashes = header.value.header.recordHashes;
  if (hashes.length !== submission.records.length) {
    return refuse(
      "SUBMISSION_MALFORMED",
      `The header names ${hashes.length} records, the submission holds ${submission.records.length}.`,
      "records",
    );
  }
  const records: ParsedRecord[] = [];
  let intervals = 0;
  let piece = 0;
  for (const [index, bytes] of submission.records.entries()) {
    if (piece >= parsedAtOnce) {
      yield;
      piece = 0;
    }
    const record = parseRecord(consortiumId, bytes, policy);
    if (!record.ok) {
      const { reason, message, field } = record.error;
      const place = `records[${index}]`;
      return refuse(reason, message, field === undefined ? place : `${place}.${field}`);
    }
    const named = defined(hashes[index], "there are as many hashes as records");
    if (!equalBytes(record.value.hash, named)) {
      return refuse(
        "RECORD_HASH_MISMATCH",
        `The header names ${toHex(named)}, the record's hash is ${record.value.hashHex}.`,
        `header.record_hashes[${index}]`,
      );
    }
    records.push(record.value);
    piece += workOf(record.value) + bytes.length / bytesOfParsing;
    intervals += intervalsOf([record.value]);
    // Here and not at the end, so that no more is parsed than may be submitted.
    if (intervals <= submissionIntervalsMax) continue;
    const message =
      `The submission's records are of more than ${submissionIntervalsMax} intervals of meters: ` +
      "send the load profiles in several submissions.";
    return refuse("TOO_MANY_RECORDS", message, `records[${index}]`);
  }
  return ok({ ...header.value, records, message: submission });
}

/** Records, each as many as its work, that are parsed in one piece. */
const parsedAtOnce = 100;
/** So many bytes are as much to parse as a record of an ordinary size, and often more. */
const bytesOfParsing = 1_024;

/** What parsing it costs, in records: of one that is not parsed yet only lengths are known. */
export function parsingWorkOf({ records }: Pick<Submission, "records">): number {
  const byteCount = records.reduce((sum, { length }) => sum + length, 0);
  return Math.max(records.length, Math.floor(byteCount / bytesOfParsing));
}

/** What a submission takes in memory, roughly. */
export function memoryBytesOf({ header, records }: Pick<Submission, "header" | "records">): number {
  const byteCount = records.reduce((sum, { length }) => sum + length, header.length);
  return submissionMemoryBytes(byteCount, records.length);
}

/** What the lists in its records take once they are decoded, besides. */
export function decodedBytesOf(records: readonly ParsedRecord[]): number {
  return records.reduce((sum, each) => sum + kindOf(each).decodedBytes(each.payload), 0);
}

/** The most that both come to, of one that is not parsed yet. */
export function memoryBytesMaxOf(submission: Pick<Submission, "header" | "records">): number {
  const { records } = submission;
  const recordBytes = records.reduce((sum, { length }) => sum + length, 0);
  // Each integer takes a byte of a record, or stands for an interval.
  const integers = Math.min(recordBytes, 3 * submissionIntervalsMax);
  return memoryBytesOf(submission) + profileListsBytesMax(records.length, integers);
}

/** What it takes where its records are kept sealed as well, but for `decodedBytesOf`. */
export function pooledBytesOf({ header, records }: Pick<Submission, "header" | "records">): number {
  const recordBytes = records.reduce((sum, { length }) => sum + length, 0);
  const { length } = records;
  return (
    submissionMemoryBytes(header.length + recordBytes, length) +
    sealedMemoryBytes(recordBytes, length)
  );
}

function checkHashes(
  hashes: readonly Uint8Array[],
  recordsMax: number,
): Result<undefined, Violation> {
  if (hashes.length === 0) {
    return refuse("SUBMISSION_MALFORMED", "A submission has a record.", "header.record_hashes");
  }
  if (hashes.length > recordsMax) {
    return refuse(
      "TOO_MANY_RECORDS",
      `A submission has ${hashes.length} records, at most ${recordsMax} are allowed.`,
      "header.record_hashes",
    );
  }
  const seen = new Set<string>();
  for (const [index, hash] of hashes.entries()) {
    const field = `header.record_hashes[${index}]`;
    if (hash.length !== recordHashBytes) {
      return refuse("SUBMISSION_MALFORMED", "A record hash has 32 bytes.", field);
    }
    const hex = toHex(hash);
    if (seen.has(hex)) return refuse("RECORD_REPEATED", `Record ${hex} stands twice.`, field);
    seen.add(hex);
  }
  return ok(undefined);
}
