/**
 * Submissions onto the ledger, over one stream with several of them in flight. A stream that breaks
 * is taken up again with the same bytes, so nothing is there twice.
 */
import type { BssClient, RecordOutcome, RpcError, Submission } from "../../src/client/index.js";

/** Enough to fill the next block while one is being voted on. */
const inFlightMax = 128;
const stallTimeoutMs = 120_000;
const refusalsKept = 5;

export type SubmittedRecords = {
  submissions: number;
  /** Records with a place on the ledger. */
  records: number;
  /** Blocks that hold them. */
  readonly heights: Set<bigint>;
  refused: number;
  /** The first few refusals, for people. */
  readonly refusals: string[];
  /** How often the stream was lost. */
  reconnects: number;
};

export type SubmitRecordsOptions = {
  readonly signal: AbortSignal;
  /** Told of each outcome: the submission's place from 0, and what became of its records. */
  readonly onOutcome: (index: number, outcomes: readonly RecordOutcome[]) => void;
};

/** Submits and waits until every record has its outcome. Throws `RpcError`. */
export async function submitRecords(
  client: BssClient,
  submissions: AsyncIterable<Submission>,
  { signal, onOutcome }: SubmitRecordsOptions,
): Promise<SubmittedRecords> {
  const done: SubmittedRecords = {
    submissions: 0,
    records: 0,
    heights: new Set<bigint>(),
    refused: 0,
    refusals: [],
    reconnects: 0,
  };
  const onReconnect = () => {
    done.reconnects += 1;
  };
  const stream = client.submitStream(submissions, {
    inFlightMax,
    stallTimeoutMs,
    signal,
    onReconnect,
  });
  for await (const { index, submission, response, refusal } of stream) {
    const outcomes = response?.outcomes ?? [];
    done.submissions += 1;
    if (refusal !== undefined) noteRefusal(done, submission.records.length, textOf(refusal));
    for (const outcome of outcomes) note(done, outcome);
    onOutcome(index, outcomes);
  }
  return done;
}

function note(done: SubmittedRecords, { outcome }: RecordOutcome): void {
  if (outcome.case === "committed") {
    done.records += 1;
    done.heights.add(outcome.value.height);
  } else if (outcome.case === "objection") {
    noteRefusal(done, 1, `${outcome.value.reason}: ${outcome.value.message}`);
  } else {
    noteRefusal(done, 1, "no outcome");
  }
}

function noteRefusal(done: SubmittedRecords, records: number, text: string): void {
  done.refused += records;
  if (done.refusals.length < refusalsKept) done.refusals.push(text);
}

function textOf({ reason, message }: RpcError): string {
  return `${reason}: ${message}`;
}
