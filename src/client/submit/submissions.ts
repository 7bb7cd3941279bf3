/** Putting records under one signature. */
import { create, toBinary } from "@bufbuild/protobuf";
import { ed25519Sign } from "../../crypto/ed25519.js";
import {
  type Submission,
  SubmissionHeaderSchema,
  SubmissionSchema,
} from "../../gen/bss/v1/record_pb.js";
import { recordHash } from "../../ledger/records/records.js";
import { submissionDigest } from "../../ledger/records/submissions.js";

export type SubmissionParts = {
  /** 32 bytes: SHA-256 of the genesis file. */
  readonly consortiumId: Uint8Array;
  /** Who submits: the records' owner or an agent of each owner. */
  readonly participantId: string;
  /** 32 bytes: the submitter's Ed25519 seed. */
  readonly signingSeed: Uint8Array;
  /** The exact bytes of 1 to policy.submission_records_max records. */
  readonly records: readonly Uint8Array[];
};

/**
 * Signs records for submission. The same parts always give the same submission, and submitting one
 * again is safe: records that are on the ledger already get their first receipt.
 */
export function buildSubmission(parts: SubmissionParts): Submission {
  const { consortiumId, participantId, signingSeed, records } = parts;
  const recordHashes = records.map((bytes) => recordHash(consortiumId, bytes));
  const header = toBinary(
    SubmissionHeaderSchema,
    create(SubmissionHeaderSchema, { consortiumId, participantId, recordHashes }),
  );
  const signature = ed25519Sign(signingSeed, submissionDigest(header));
  return create(SubmissionSchema, { header, signature, records: [...records] });
}
