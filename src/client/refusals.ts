/**
 * What was refused of a submission. A manager refuses a submission as a whole, with an error, only
 * if it refuses each of its records. If it takes one, what it refuses of the others is in their
 * outcomes.
 */
import type { SubmitResponse } from "../gen/bss/v1/broadcast_pb.js";
import { objectionDetails, RpcError } from "../rpc/rpc-error.js";
import type { SubmissionOutcome } from "./submit/submit-stream.js";

/**
 * The refusals of a submission's records, in their order, or that of the whole submission; empty
 * if all was taken. A field begins with the record's place in the submission, as when every record
 * is refused, and `metadata.refused_records` counts them.
 */
export function refusals(answer: SubmitResponse | SubmissionOutcome): readonly RpcError[] {
  if ("index" in answer) {
    return answer.refusal === undefined ? refusals(answer.response) : [answer.refusal];
  }
  const refused = answer.outcomes.flatMap(({ outcome }, i) =>
    outcome.case === "objection" ? [{ i, objection: outcome.value }] : [],
  );
  return refused.map(({ i, objection }) => {
    const { reason, message } = objection;
    return new RpcError("INTERNAL", message, {
      ...objectionDetails(objection, { index: i, refused: refused.length }),
      received: { status: "FAILED_PRECONDITION", reason },
    });
  });
}

/**
 * The answer if no record was refused. Throws the first refusal otherwise, as `submit` does when
 * every record is refused.
 */
export function orThrow(answer: SubmitResponse | SubmissionOutcome): SubmitResponse {
  const [first] = refusals(answer);
  if (first !== undefined) throw first;
  if (!("index" in answer)) return answer;
  if (answer.refusal !== undefined) throw answer.refusal;
  return answer.response;
}
