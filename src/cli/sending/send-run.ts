/**
 * One run of `bss submit` or `bss import`: rows become records, records go into submissions, and
 * each outcome becomes a receipt or a complaint.
 *
 * A manager refuses a submission as a whole when one of its records is malformed. Then that record
 * is taken out and the others are sent again, so that one bad row costs its neighbours nothing.
 *
 * A record of an earlier run may have been made with a clock or a key that was wrong and is right
 * now. It is sent as it is, because it may be on the ledger; when it is refused for its time or its
 * signatures, it is made anew, once.
 */
import { defined } from "../../base/assert.js";
import { fromHex, toHex } from "../../base/bytes.js";
import type { BssClient } from "../../client/bss-client.js";
import type { SubmissionOutcome } from "../../client/submit/submit-stream.js";
import type { Objection, SubmitResponse } from "../../gen/bss/v1/broadcast_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { otherGenesis } from "../text/rpc-advice.js";
import { Batcher } from "./batcher.js";
import type { PlannedRecord, PlannedRow, ProgressFile } from "./receipts/progress-file.js";
import type { ReceiptLine } from "./receipts/receipt-lines.js";
import { type Refusal, RowProblem } from "./row-problem.js";

/** Something that is to become a record. */
export type RowToSend = PlannedRow & {
  /** What to call it when it is refused, besides its line. */
  readonly name?: string;
  /** Of a load profile: how many, which submissions bound besides their records. */
  readonly intervals?: number;
  /** What to do about a refusal, by its reason. */
  readonly advice?: (reason: string) => string | undefined;
  /**
   * Another record in the place of one that was refused for what the machine had put into it;
   * undefined when all of it is the row's. Throws `RowProblem`.
   */
  readonly rebuild?: (record: Uint8Array) => Uint8Array | undefined;
};

/** A row, or what keeps it from becoming a record. */
export type InputRow = RowToSend | { readonly line: number; readonly problem: RowProblem };

export type RunTotals = {
  /** Records that got a receipt in this run. */
  readonly received: number;
  /** How many of them are updates. */
  readonly updated: number;
  /** Rows that had a receipt before. */
  readonly doneBefore: number;
  readonly malformed: number;
  readonly refused: number;
  /** Heights of the first and the last block, when there are receipts. */
  readonly firstHeight?: number;
  readonly lastHeight?: number;
};

type SendRunOptions = {
  readonly client: BssClient;
  readonly progressFile: ProgressFile;
  readonly rows: AsyncIterable<InputRow>;
  readonly batchRecordsMax: number;
  readonly inFlightMax: number;
  readonly signal: AbortSignal;
  readonly onProblem: (line: number, problem: RowProblem) => void;
  /** `count` rows are done with, one way or another. */
  readonly onSettled: (count: number) => void;
  readonly onReconnect: (error: RpcError, unanswered: number) => void;
};

type Planned = PlannedRecord &
  Pick<RowToSend, "line" | "name" | "intervals" | "advice" | "rebuild">;
type Batch = readonly Planned[];

/** Refusals that another clock or other keys of this machine may cure. */
const curableReasons: readonly string[] = [
  "TIME_IN_FUTURE",
  "TIME_INVALID",
  "TRADE_SIGNATURE_INVALID",
];

export class SendRun {
  readonly #options: SendRunOptions;
  readonly #policy: Policy;
  /** Batches in flight, by the place of their submission in the stream. */
  readonly #inFlight = new Map<number, Batch>();
  /** Batches to be sent again, without what was refused. */
  readonly #again: Batch[] = [];
  /** Records in the place of others that were refused. */
  #anew: Planned[] = [];
  #sent = 0;
  #counts = { received: 0, updated: 0, doneBefore: 0, malformed: 0, refused: 0 };
  #heights: { first: number; last: number } | undefined;
  #wake = () => {};

  constructor(options: SendRunOptions) {
    this.#options = options;
    this.#policy = options.client.genesis.policy;
  }

  /** Submissions without an outcome. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** What came of it so far. */
  get totals(): RunTotals {
    const { first, last } = this.#heights ?? {};
    const heights =
      first === undefined || last === undefined ? {} : { firstHeight: first, lastHeight: last };
    return { ...this.#counts, ...heights };
  }

  /**
   * Sends everything and waits for every outcome. Throws `RpcError` when the managers cannot go on.
   */
  async run(): Promise<RunTotals> {
    const { client, inFlightMax, signal, onReconnect } = this.#options;
    const stream = client.submitStream(this.#submissions(), { inFlightMax, signal, onReconnect });
    for await (const outcome of stream) {
      const batch = defined(this.#inFlight.get(outcome.index), "an outcome is of what was sent");
      this.#inFlight.delete(outcome.index);
      this.#settle(batch, outcome);
      this.#wake();
    }
    return this.totals;
  }

  async *#submissions(): AsyncGenerator<Submission, void, undefined> {
    for await (const batch of this.#batches()) yield this.#submissionOf(batch);
    for (;;) {
      this.#batchAnew();
      const batch = this.#again.shift();
      if (batch !== undefined) yield this.#submissionOf(batch);
      else if (this.#inFlight.size === 0) return;
      else await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #submissionOf(batch: Batch): Submission {
    // Nothing leaves before a later run could find it again.
    this.#options.progressFile.save();
    this.#inFlight.set(this.#sent, batch);
    this.#sent += 1;
    return this.#options.client.sign(batch.map(({ bytes }) => bytes));
  }

  async *#batches(): AsyncGenerator<Batch, void, undefined> {
    const batcher = this.#batcher();
    for await (const row of this.#options.rows) {
      const planned = await this.#plan(row);
      const full = planned === undefined ? undefined : batcher.add(planned);
      if (full !== undefined) yield full;
    }
    const last = batcher.take();
    if (last.length > 0) yield last;
  }

  /** Moves what was made anew to what is to be sent again. */
  #batchAnew(): void {
    const batcher = this.#batcher();
    for (const record of this.#anew) {
      const full = batcher.add(record);
      if (full !== undefined) this.#again.push(full);
    }
    this.#anew = [];
    const last = batcher.take();
    if (last.length > 0) this.#again.push(last);
  }

  #batcher(): Batcher<Planned> {
    const { batchRecordsMax } = this.#options;
    return new Batcher(Math.min(batchRecordsMax, this.#policy.submissionRecordsMax));
  }

  async #plan(row: InputRow): Promise<Planned | undefined> {
    const { progressFile } = this.#options;
    try {
      if ("problem" in row) throw row.problem;
      await this.#settleEarlier(row);
      const planned = progressFile.plan(row);
      if (planned !== undefined) return { ...planned, ...ownOf(row) };
      this.#counts.doneBefore += 1;
      this.#options.onSettled(1);
    } catch (error) {
      if (!(error instanceof RowProblem)) throw error;
      this.#counts.malformed += 1;
      this.#options.onProblem(row.line, error);
      this.#options.onSettled(1);
    }
    return undefined;
  }

  /** Asks what became of the records that earlier runs sent about the same as the row. */
  async #settleEarlier(row: RowToSend): Promise<void> {
    const { client, progressFile } = this.#options;
    for (const hashHex of progressFile.unsettled(row)) {
      const hash = fromHex(hashHex);
      if (hash === undefined) continue;
      try {
        const receipt = await client.getReceipt(hash);
        progressFile.settle(row, receiptLine({ line: row.line, hashHex }, receipt));
      } catch (error) {
        // A record that managers refused is on no chain.
        if (!(error instanceof RpcError) || error.reason !== "RECORD_UNKNOWN") throw error;
      }
    }
  }

  #settle(batch: Batch, outcome: SubmissionOutcome): void {
    if (outcome.response !== undefined) this.#receive(batch, outcome.response);
    else this.#refuseWhole(batch, outcome.refusal);
  }

  #receive(batch: Batch, response: SubmitResponse): void {
    const outcomes = new Map(
      response.outcomes.map((each) => [toHex(each.recordHash), each.outcome]),
    );
    const lines: ReceiptLine[] = [];
    for (const record of batch) {
      const outcome = outcomes.get(record.hashHex);
      if (outcome?.case === "committed") lines.push(receiptLine(record, outcome.value));
      else
        this.#refuse(record, refusalOf(outcome?.case === "objection" ? outcome.value : undefined));
    }
    for (const { height } of lines) {
      const { first, last } = this.#heights ?? { first: height, last: height };
      this.#heights = { first: Math.min(first, height), last: Math.max(last, height) };
    }
    this.#options.progressFile.receive(lines);
    this.#counts.received += lines.length;
    const received = new Set(lines.map((line) => line.record_hash));
    this.#counts.updated += batch.filter(
      ({ parent, hashHex }) => parent !== undefined && received.has(hashHex),
    ).length;
    this.#options.onSettled(lines.length);
  }

  #refuseWhole(batch: Batch, { message, reason, field }: RpcError): void {
    const refusal = { message, reason, standingHash: "" };
    const index = /records?(?:_hashes)?\[(\d+)\]/.exec(field ?? "")?.[1];
    const culprit = index === undefined ? undefined : batch[Number(index)];
    if (culprit === undefined) {
      for (const record of batch) this.#refuse(record, refusal);
      return;
    }
    this.#refuse(culprit, refusal);
    const rest = batch.filter((record) => record !== culprit);
    if (rest.length > 0) this.#again.push(rest);
  }

  #refuse(record: Planned, refusal: Refusal & { readonly message: string }): void {
    const { message, reason, standingHash } = refusal;
    if (record.isOld && curableReasons.includes(reason) && this.#sendAnew(record)) return;
    this.#counts.refused += 1;
    const standing = standingText(refusal);
    const text = `refused: ${message}${reasonText(reason)}${standing}${adviceOf(record, reason)}`;
    this.#options.onProblem(
      record.line,
      new RowProblem(`${prefixOf(record)}${text}`, undefined, { reason, standingHash }),
    );
    this.#options.onSettled(1);
  }

  /** Whether there is another record to be sent in this one's place. */
  #sendAnew(record: Planned): boolean {
    try {
      const bytes = record.rebuild?.(record.bytes);
      if (bytes === undefined) return false;
      const { line } = record;
      const planned = { ...this.#options.progressFile.replace(record, bytes), line };
      this.#anew.push(planned);
      return true;
    } catch (error) {
      if (error instanceof RowProblem) return false;
      throw error;
    }
  }
}

function refusalOf(objection: Objection | undefined): Refusal & { readonly message: string } {
  if (objection === undefined) {
    const message = "the manager gave no outcome for this record";
    return { message, reason: "", standingHash: "" };
  }
  const { message, reason, standingRecordHash } = objection;
  return { message, reason, standingHash: toHex(standingRecordHash) };
}

/** "; record 3477f2fa… stands there", in full: it is what an update names. */
function standingText({ standingHash }: Refusal): string {
  return standingHash === "" ? "" : `; record ${standingHash} stands there`;
}

function reasonText(reason: string): string {
  return reason === "" ? "" : ` [${reason}]`;
}

function adviceOf({ advice }: Planned, reason: string): string {
  const text = reason === "CONSORTIUM_MISMATCH" ? otherGenesis : advice?.(reason);
  return text === undefined ? "" : `; ${text}`;
}

function ownOf(row: RowToSend): Omit<Planned, keyof PlannedRecord> {
  const { line, name, intervals = 0, advice, rebuild } = row;
  return {
    line,
    intervals,
    ...(name !== undefined && { name }),
    ...(advice !== undefined && { advice }),
    ...(rebuild !== undefined && { rebuild }),
  };
}

function prefixOf({ name }: Planned): string {
  return name === undefined ? "" : `${name}: `;
}

function receiptLine(
  { line, hashHex }: Pick<Planned, "line" | "hashHex">,
  { height, position }: { readonly height: bigint; readonly position: bigint },
): ReceiptLine {
  return { line, record_hash: hashHex, height: Number(height), position: Number(position) };
}
