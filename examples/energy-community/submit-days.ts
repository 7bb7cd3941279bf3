/**
 * All days onto the ledger, over one stream with several submissions in flight. A stream that
 * breaks is taken up again with the same bytes, so nothing is there twice.
 */
import type { BssClient, RecordOutcome, RpcError, Submission } from "../../src/client/index.js";
import type { CommunityDay } from "./community/community-days.js";
import type { DayRecords } from "./records.js";

/** Enough to fill the next block while one is being voted on. */
const inFlightMax = 128;
const stallTimeoutMs = 120_000;
const refusalsKept = 5;

export type SubmittedDays = {
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

export type SubmitDaysOptions = {
  readonly signal: AbortSignal;
  /** Told of each outcome: the submission's place from 0, and what became of its records. */
  readonly onOutcome: (index: number, outcomes: readonly RecordOutcome[]) => void;
};

/** Submits and waits until every record has its outcome. Throws `RpcError`. */
export async function submitDays(
  client: BssClient,
  days: AsyncIterable<CommunityDay>,
  records: DayRecords,
  { signal, onOutcome }: SubmitDaysOptions,
): Promise<SubmittedDays> {
  const done: SubmittedDays = {
    submissions: 0,
    records: 0,
    heights: new Set<bigint>(),
    refused: 0,
    refusals: [],
    reconnects: 0,
  };
  const feed = new DayFeed(records, client.genesis.policy.submissionRecordsMax);
  const onReconnect = () => {
    done.reconnects += 1;
  };
  const stream = client.submitStream(feed.submissions(days), {
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
    feed.answered(index);
    onOutcome(index, outcomes);
  }
  return done;
}

/** The submissions of the days, in order, held back where one needs what others bring. */
class DayFeed {
  readonly #records: DayRecords;
  readonly #recordsMax: number;
  readonly #unanswered = new Set<number>();
  #next = 0;
  #wake = () => {};

  constructor(records: DayRecords, recordsMax: number) {
    this.#records = records;
    this.#recordsMax = recordsMax;
  }

  async *submissions(
    days: AsyncIterable<CommunityDay>,
  ): AsyncGenerator<Submission, void, undefined> {
    for await (const day of days) {
      for (const part of this.#records.submissions(day, this.#recordsMax)) {
        while (part.afterProfiles && this.#unanswered.size > 0) await this.#answer();
        this.#unanswered.add(this.#next);
        this.#next += 1;
        yield part.submission;
      }
    }
  }

  answered(index: number): void {
    this.#unanswered.delete(index);
    this.#wake();
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function note(done: SubmittedDays, { outcome }: RecordOutcome): void {
  if (outcome.case === "committed") {
    done.records += 1;
    done.heights.add(outcome.value.height);
  } else if (outcome.case === "objection") {
    noteRefusal(done, 1, `${outcome.value.reason}: ${outcome.value.message}`);
  } else {
    noteRefusal(done, 1, "no outcome");
  }
}

function noteRefusal(done: SubmittedDays, records: number, text: string): void {
  done.refused += records;
  if (done.refusals.length < refusalsKept) done.refusals.push(text);
}

function textOf({ reason, message }: RpcError): string {
  return `${reason}: ${message}`;
}
