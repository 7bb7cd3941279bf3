/** What other managers object to, signed. */
import { create } from "@bufbuild/protobuf";
import { emptyBytes } from "../../../../src/base/bytes.js";
import {
  type SignedObjections,
  SignedObjectionsSchema,
} from "../../../../src/gen/bss/v1/broadcast_pb.js";
import {
  objectionsDigest,
  objectionsRoot,
} from "../../../../src/ledger/certificates/objections.js";
import type { ParsedSubmission } from "../../../../src/ledger/records/submissions.js";
import { consortiumId } from "../../ledger/support/consortium.js";
import { sign } from "../../ledger/support/records.js";

export type ObjectionOptions = {
  readonly height?: number;
  readonly reason?: string;
  /** Of the record in its submission. */
  readonly index?: number;
  readonly author?: string;
  /** Whose key signs; the author's own when left out. */
  readonly key?: string;
  readonly consortium?: Uint8Array;
};

/** Of manager-2 at height 0, to the first record, as a document: what is never true of these. */
export function objectionTo(
  submission: Pick<ParsedSubmission, "id" | "records">,
  options: ObjectionOptions = {},
): SignedObjections {
  const { height = 0, reason = "DOCUMENT_INVALID", index = 0, author = "manager-2" } = options;
  const recordHash = submission.records[index]?.hash ?? emptyBytes;
  const objection = { recordHash, reason, height: BigInt(height), message: "", field: "" };
  const { id: submissionId } = submission;
  const digest = objectionsDigest({
    consortiumId: options.consortium ?? consortiumId,
    submissionId,
    count: 1,
    root: objectionsRoot([objection]),
  });
  const signature = sign(options.key ?? author, digest);
  return create(SignedObjectionsSchema, {
    objections: [objection],
    signature: { submissionId, managerId: author, signature },
  });
}
