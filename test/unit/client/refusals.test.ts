import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  orThrow,
  refusals,
  type SubmissionOutcome,
  SubmissionSchema,
} from "../../../src/client/index.js";
import { SubmitResponseSchema } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";

describe("what was refused of a submission", () => {
  const objection = (field: string) => {
    const standingRecordHash = Uint8Array.of(1, 2);
    const value = { reason: "INTERVAL_OVERLAP", message: "for people", field, standingRecordHash };
    return { outcome: { case: "objection" as const, value } };
  };
  const committed = { outcome: { case: "committed" as const, value: {} } };
  const answer = (...outcomes: readonly (typeof committed | ReturnType<typeof objection>)[]) =>
    create(SubmitResponseSchema, { outcomes: [...outcomes] });
  const submission = create(SubmissionSchema);

  test("is one error with the place of the first record", () => {
    const taken = answer(committed);
    assert.equal(orThrow(taken), taken);
    assert.deepEqual(refusals(taken), []);
    const partly = answer(committed, objection("parent"), objection(""));
    assert.throws(() => orThrow(partly), {
      reason: "INTERVAL_OVERLAP",
      status: "FAILED_PRECONDITION",
      field: "submission.records[1].parent",
      metadata: { refused_records: "2", record_hash: "0102" },
      retryable: false,
    });
    const fields = refusals(partly).map(({ field }) => field);
    assert.deepEqual(fields, ["submission.records[1].parent", "submission.records[2]"]);
  });

  test("of a stream is that of the whole or of its records", () => {
    const whole = new RpcError("SIGNATURE_INVALID", "for people");
    const refused: SubmissionOutcome = { index: 0, submission, refusal: whole };
    assert.deepEqual(refusals(refused), [whole]);
    assert.throws(() => orThrow(refused), whole);
    const one: SubmissionOutcome = { index: 0, submission, response: answer(objection("")) };
    assert.equal(refusals(one).length, 1);
    assert.throws(() => orThrow(one), { reason: "INTERVAL_OVERLAP" });
    const taken: SubmissionOutcome = { index: 0, submission, response: answer(committed) };
    assert.equal(orThrow(taken), taken.response);
  });
});
