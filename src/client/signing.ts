/**
 * What a client signs: the submissions of a participant, and what an operator states about a
 * storage node that its manager sponsors.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { ed25519Sign } from "../crypto/ed25519.js";
import {
  type RecordPayout,
  RecordPayoutSchema,
  type RetireStorageNode,
  RetireStorageNodeSchema,
} from "../gen/bss/v1/genesis_pb.js";
import type { StorageNodeStatus } from "../gen/bss/v1/query_pb.js";
import {
  type Submission,
  SubmissionHeaderSchema,
  SubmissionSchema,
} from "../gen/bss/v1/record_pb.js";
import { payoutDigest, retirementDigest } from "../ledger/certificates/vote-digests.js";
import { recordHash } from "../ledger/records/record-hash.js";
import { submissionDigest } from "../ledger/records/submissions.js";
import { encode } from "../ledger/wire.js";
import type { ClientProfile } from "./client-profile.js";

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
  const header = encode(
    SubmissionHeaderSchema,
    create(SubmissionHeaderSchema, { consortiumId, participantId, recordHashes }),
  );
  const signature = ed25519Sign(signingSeed, submissionDigest(header));
  return create(SubmissionSchema, { header, signature, records: [...records] });
}

/** A submission to keep until its receipts are there, and to submit again after a failure. */
export function submissionToBinary(submission: Submission): Uint8Array {
  return encode(SubmissionSchema, submission);
}

/** Reads what `submissionToBinary` gave; undefined for other bytes. */
export function submissionFromBinary(bytes: Uint8Array): Submission | undefined {
  try {
    // A plain Uint8Array: otherwise every bytes field would be a Buffer.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const submission = fromBinary(SubmissionSchema, plain);
    return submission.records.length > 0 ? submission : undefined;
  } catch {
    return undefined;
  }
}

type Operator = Pick<ClientProfile, "id" | "genesis" | "signingSeed">;

/**
 * States that the node is retired. `admittedHeight` keeps the signature from being used again after
 * a later admission.
 */
export function signRetirement(
  { id: operatorId, genesis, signingSeed }: Operator,
  { nodeId, admittedHeight }: Pick<StorageNodeStatus, "nodeId" | "admittedHeight">,
): RetireStorageNode {
  const { consortiumId } = genesis;
  const claim = { consortiumId, nodeId, admittedHeight: Number(admittedHeight) };
  const signature = ed25519Sign(signingSeed, retirementDigest(claim));
  return create(RetireStorageNodeSchema, { nodeId, admittedHeight, operatorId, signature });
}

/** States that the node was paid `amount` reward units, on top of what it had been paid before. */
export function signPayout(
  { id: operatorId, genesis, signingSeed }: Operator,
  { nodeId, paid: paidBefore }: Pick<StorageNodeStatus, "nodeId" | "paid">,
  { amount, reference }: { readonly amount: bigint; readonly reference: string },
): RecordPayout {
  const { consortiumId } = genesis;
  const claim = { consortiumId, nodeId, amount, paidBefore, reference };
  const signature = ed25519Sign(signingSeed, payoutDigest(claim));
  const payout = { nodeId, amount, paidBefore, reference, operatorId, signature };
  return create(RecordPayoutSchema, payout);
}
