import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { submitRecords } from "../../../examples/energy-community/submit-records.js";
import { defined } from "../../../src/base/assert.js";
import {
  type BssClient,
  type Submission,
  type SubmissionOutcome,
  SubmissionSchema,
} from "../../../src/client/index.js";
import { type SubmitResponse, SubmitResponseSchema } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { recordHash } from "../../../src/ledger/records/record-hash.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";

const consortiumId = new Uint8Array(32).fill(3);
/** As many submissions, of three records each. */
async function* submissions(count: number): AsyncGenerator<Submission> {
  for (let number = 1; number <= count; number++) {
    const records = [1, 2, 3].map((record) => Uint8Array.of(number, record));
    yield create(SubmissionSchema, { records });
  }
}

function committed({ records: bytes }: Submission, height: bigint): SubmitResponse {
  return create(SubmitResponseSchema, {
    outcomes: bytes.map((record) => ({
      recordHash: recordHash(consortiumId, record),
      outcome: { case: "committed" as const, value: { height } },
    })),
  });
}

/** A client whose stream takes all it can get, and answers in the order that `answers` asks for. */
function clientOf(
  answers: (source: AsyncIterable<Submission>) => AsyncIterable<SubmissionOutcome>,
): BssClient {
  return { submitStream: answers } as unknown as BssClient;
}

const options = { signal: new AbortController().signal, onOutcome: () => {} };

describe("submitting records", () => {
  test("counts records, blocks and submissions, whatever the order of the outcomes", async () => {
    const client = clientOf(async function* (source) {
      const all: Submission[] = [];
      for await (const submission of source) all.push(submission);
      for (const [index, submission] of [...all.entries()].toReversed()) {
        yield { index, submission, response: committed(submission, BigInt(1 + (index % 2))) };
      }
    });
    const seen: number[] = [];
    const onOutcome = (index: number) => seen.push(index);
    const done = await submitRecords(client, submissions(5), { ...options, onOutcome });
    assert.deepEqual(
      [done.submissions, done.records, done.heights.size, done.refused],
      [5, 15, 2, 0],
    );
    assert.deepEqual(seen, [4, 3, 2, 1, 0]);
  });

  test("tells what was refused", async () => {
    const client = clientOf(async function* (source) {
      let index = 0;
      for await (const submission of source) {
        if (index === 0) {
          const refusal = new RpcError("POOL_FULL", "no room");
          yield { index, submission, refusal };
        } else {
          const response = committed(submission, 1n);
          const outcome = defined(response.outcomes[2], "it has three records");
          const value = { reason: "OVER_PURCHASE", message: "too much" };
          const [objection] = create(SubmitResponseSchema, {
            outcomes: [{ outcome: { case: "objection", value } }],
          }).outcomes;
          outcome.outcome = defined(objection, "it was just made").outcome;
          yield { index, submission, response };
        }
        index += 1;
      }
    });
    const done = await submitRecords(client, submissions(2), options);
    assert.deepEqual([done.records, done.refused], [2, 4]);
    assert.deepEqual(done.refusals, ["POOL_FULL: no room", "OVER_PURCHASE: too much"]);
  });
});
