import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { ProgressFile } from "../../../../src/cli/sending/receipts/progress-file.js";
import type { RowProblem } from "../../../../src/cli/sending/row-problem.js";
import { SendRun } from "../../../../src/cli/sending/send-run.js";
import type { BssClient } from "../../../../src/client/index.js";
import { SubmitResponseSchema } from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { policy } from "../../ledger/support/consortium.js";

const hash = new Uint8Array(32).fill(1);
const standingRecordHash = new Uint8Array(32).fill(2);

const objectionOf = (reason: string, message: string) => {
  const objection = { reason, message, standingRecordHash };
  return create(SubmitResponseSchema, {
    outcomes: [{ recordHash: hash, outcome: { case: "objection", value: objection } }],
  });
};

/** What is told of a row, of which a manager gives `outcome`. */
async function problemOf(outcome: object): Promise<readonly [number, RowProblem]> {
  const client = {
    genesis: { policy },
    sign: (records: readonly Uint8Array[]) => records,
    async *submitStream(submissions: AsyncIterable<unknown>) {
      let index = 0;
      for await (const _ of submissions) yield { index: index++, ...outcome };
    },
  } as unknown as BssClient;
  const hashHex = "01".repeat(32);
  const progressFile = {
    unsettled: () => [],
    plan: () => ({ hashHex, bytes: new Uint8Array(1), isOld: false }),
    save: () => {},
    receive: () => {},
  } as unknown as ProgressFile;
  async function* rows() {
    const advice = (reason: string) => `after ${reason} do this`;
    yield { line: 7, identity: [], build: () => new Uint8Array(1), advice };
  }
  const problems: [number, RowProblem][] = [];
  const run = new SendRun({
    client,
    progressFile,
    rows: rows(),
    batchRecordsMax: 10,
    inFlightMax: 1,
    signal: new AbortController().signal,
    onProblem: (...problem) => problems.push(problem),
    onSettled: () => {},
    onReconnect: () => {},
  });
  assert.equal((await run.run()).refused, 1);
  return problems[0] ?? assert.fail();
}

test("a refusal tells which record stands there, and what corrects it", async () => {
  const response = objectionOf("INTERVAL_OVERLAP", "It is there.");
  const [line, problem] = await problemOf({ response });
  const standingHash = "02".repeat(32);
  assert.equal(line, 7);
  assert.equal(
    problem.message,
    `refused: It is there. [INTERVAL_OVERLAP]; record ${standingHash} stands there; ` +
      "after INTERVAL_OVERLAP do this",
  );
  assert.deepEqual(problem.refusal, { reason: "INTERVAL_OVERLAP", standingHash });
});

test("a refusal for another consortium names the file that is another one", async () => {
  const refusal = new RpcError("CONSORTIUM_MISMATCH", "It is for another consortium.");
  const [, problem] = await problemOf({ refusal });
  assert.match(problem.message, /\[CONSORTIUM_MISMATCH\]; copy the genesis\.json of .+ again/);
});
