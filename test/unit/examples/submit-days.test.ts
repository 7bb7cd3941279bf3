import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import type { CommunityDay } from "../../../examples/energy-community/community/community-days.js";
import { DayRecords } from "../../../examples/energy-community/records.js";
import { submitDays } from "../../../examples/energy-community/submit-days.js";
import { defined } from "../../../src/base/assert.js";
import { toHex } from "../../../src/base/bytes.js";
import type { BssClient, Submission, SubmissionOutcome } from "../../../src/client/index.js";
import { type SubmitResponse, SubmitResponseSchema } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { recordHash } from "../../../src/ledger/records/records.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";

const consortiumId = new Uint8Array(32).fill(3);
const seedOf = (id: string) => new Uint8Array(32).fill(id.length);
const records = new DayRecords({ consortiumId, seedOf });

/** Two homes, and one hour in which they trade: three records. */
function dayOf(number: number): CommunityDay {
  const startS = number * 86_400;
  const [given, taken] = [
    { importedWh: 0, exportedWh: 9 },
    { importedWh: 9, exportedWh: 0 },
  ];
  const hour = {
    startS,
    priceMicroPerKwh: 1n,
    readings: [
      { homeId: "a", ...given },
      { homeId: "bb", ...taken },
    ],
    trades: [{ sellerId: "a", buyerId: "bb", energyWh: 9 }],
  };
  const profiles = [
    { homeId: "a", startS, values: [given] },
    { homeId: "bb", startS, values: [taken] },
  ];
  return { profiles, hours: [hour] };
}

async function* days(count: number): AsyncGenerator<CommunityDay> {
  for (let number = 1; number <= count; number++) yield dayOf(number);
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
  recordsMax: number,
  answers: (source: AsyncIterable<Submission>) => AsyncIterable<SubmissionOutcome>,
): BssClient {
  const client = {
    genesis: { policy: { submissionRecordsMax: recordsMax } },
    submitStream: answers,
  };
  return client as unknown as BssClient;
}

const options = { signal: new AbortController().signal, onOutcome: () => {} };

describe("submitting the days", () => {
  test("counts records, blocks and submissions, whatever the order of the outcomes", async () => {
    const client = clientOf(1000, async function* (source) {
      const all: Submission[] = [];
      for await (const submission of source) all.push(submission);
      for (const [index, submission] of [...all.entries()].toReversed()) {
        yield { index, submission, response: committed(submission, BigInt(1 + (index % 2))) };
      }
    });
    const seen: number[] = [];
    const onOutcome = (index: number) => seen.push(index);
    const done = await submitDays(client, days(5), records, { ...options, onOutcome });
    assert.deepEqual(
      [done.submissions, done.records, done.heights.size, done.refused],
      [5, 15, 2, 0],
    );
    assert.deepEqual(seen, [4, 3, 2, 1, 0]);
  });

  test("tells what was refused", async () => {
    const client = clientOf(1000, async function* (source) {
      let index = 0;
      for await (const submission of source) {
        if (index === 0) {
          const refusal = new RpcError("POOL_FULL", "no room");
          yield { index, submission, refusal };
        } else {
          const response = committed(submission, 1n);
          const outcome = defined(response.outcomes[2], "a day has three records");
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
    const done = await submitDays(client, days(2), records, options);
    assert.deepEqual([done.records, done.refused], [2, 4]);
    assert.deepEqual(done.refusals, ["POOL_FULL: no room", "OVER_PURCHASE: too much"]);
  });

  test("trades of a split day are not sent before their profiles are on the ledger", async () => {
    const client = clientOf(2, async function* (source) {
      const iterator = source[Symbol.asyncIterator]();
      for (let index = 0; ; index += 2) {
        const profiles = await iterator.next();
        if (profiles.done === true) return;
        const trades = iterator.next();
        const early = await Promise.race([trades, new Promise((wait) => setTimeout(wait, 20))]);
        assert.equal(early, undefined, "the trades were sent too early");
        yield { index, submission: profiles.value, response: committed(profiles.value, 1n) };
        const { value } = await trades;
        assert.equal(value.records.length, 1);
        yield { index: index + 1, submission: value, response: committed(value, 2n) };
      }
    });
    const done = await submitDays(client, days(3), records, options);
    assert.deepEqual([done.submissions, done.records], [6, 9]);
  });

  test("a run that begins again sends the same records", async () => {
    const sent: string[][] = [[], []];
    for (const run of sent) {
      const client = clientOf(1000, async function* (source) {
        let index = 0;
        for await (const submission of source) {
          run.push(...submission.records.map(toHex));
          yield { index, submission, response: committed(submission, 1n) };
          index += 1;
        }
      });
      await submitDays(client, days(4), records, options);
    }
    assert.equal(new Set(sent[0]).size, 12);
    assert.deepEqual(sent[0], sent[1]);
  });
});
