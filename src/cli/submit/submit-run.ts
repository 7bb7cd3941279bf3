/**
 * One run of `bss submit`: rows become records, records go into submissions, and each outcome
 * becomes a receipt or a complaint.
 *
 * A manager refuses a submission as a whole when one of its records is malformed. Then that record
 * is taken out and the others are sent again, so that one bad row costs its neighbours nothing.
 */
import { defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import type { BssClient } from "../../client/client.js";
import type { SubmissionOutcome } from "../../client/submit-stream.js";
import type { Objection, SubmitResponse } from "../../gen/bss/v1/broadcast_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import type { RpcError } from "../../rpc/rpc-error.js";
import type { PlannedRecord, ProgressFile, ReceiptLine } from "./progress-file.js";
import { RowProblem } from "./row-problem.js";

/** Something that is to become a record. */
export type RowToSend = {
  /** Line of the input file; 0 for a document. */
  readonly line: number;
  /** What makes the row this row, across runs. */
  readonly identity: unknown;
  /** The exact bytes of its record. Throws `RowProblem`. */
  readonly build: () => Uint8Array;
};

/** A row, or what keeps it from becoming a record. */
export type InputRow = RowToSend | { readonly line: number; readonly problem: RowProblem };

export type RunTotals = {
  /** Records that got a receipt in this run. */
  readonly received: number;
  /** Rows that had a receipt before. */
  readonly doneBefore: number;
  readonly malformed: number;
  readonly refused: number;
  /** Heights of the first and the last block, when there are receipts. */
  readonly firstHeight?: number;
  readonly lastHeight?: number;
};

export type SubmitRunOptions = {
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

type Planned = PlannedRecord & { readonly line: number };
type Batch = readonly Planned[];

/** A participant's message has at most 4 MiB; headers and lengths need some of it. */
const batchBytesMax = 3 * 1024 * 1024;
/** Bytes that a record adds besides its own: its hash and three lengths. */
const recordOverheadBytes = 48;

export class SubmitRun {
  readonly #options: SubmitRunOptions;
  readonly #policy: Policy;
  /** Batches in flight, by the place of their submission in the stream. */
  readonly #inFlight = new Map<number, Batch>();
  /** Batches to be sent again, without what was refused. */
  readonly #again: Batch[] = [];
  #sent = 0;
  #counts = { received: 0, doneBefore: 0, malformed: 0, refused: 0 };
  #heights: { first: number; last: number } | undefined;
  #wake = () => {};

  constructor(options: SubmitRunOptions) {
    this.#options = options;
    this.#policy = options.client.genesis.policy;
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
    const countMax = Math.min(this.#options.batchRecordsMax, this.#policy.submissionRecordsMax);
    let batch: Planned[] = [];
    let bytes = 0;
    for await (const row of this.#options.rows) {
      const planned = this.#plan(row);
      if (planned === undefined) continue;
      const size = planned.bytes.length + recordOverheadBytes;
      if (batch.length === countMax || (batch.length > 0 && bytes + size > batchBytesMax)) {
        yield batch;
        batch = [];
        bytes = 0;
      }
      batch.push(planned);
      bytes += size;
    }
    if (batch.length > 0) yield batch;
  }

  #plan(row: InputRow): Planned | undefined {
    const { progressFile } = this.#options;
    try {
      if ("problem" in row) throw row.problem;
      const planned = progressFile.plan(row.identity, row.build);
      if (planned !== undefined) return { ...planned, line: row.line };
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
      if (outcome?.case === "committed") lines.push(receiptLine(record, outcome.value, response));
      else
        this.#refuse(
          record,
          refusalText(outcome?.case === "objection" ? outcome.value : undefined),
        );
    }
    for (const { height } of lines) {
      const { first, last } = this.#heights ?? { first: height, last: height };
      this.#heights = { first: Math.min(first, height), last: Math.max(last, height) };
    }
    this.#options.progressFile.receive(lines);
    this.#counts.received += lines.length;
    this.#options.onSettled(lines.length);
  }

  #refuseWhole(batch: Batch, refusal: RpcError): void {
    const text = `${refusal.message} [${refusal.reason}]`;
    const index = /records?(?:_hashes)?\[(\d+)\]/.exec(refusal.field ?? "")?.[1];
    const culprit = index === undefined ? undefined : batch[Number(index)];
    if (culprit === undefined) {
      for (const record of batch) this.#refuse(record, text);
      return;
    }
    this.#refuse(culprit, text);
    const rest = batch.filter((record) => record !== culprit);
    if (rest.length > 0) this.#again.push(rest);
  }

  #refuse({ line }: Planned, text: string): void {
    this.#counts.refused += 1;
    this.#options.onProblem(line, new RowProblem(`refused: ${text}`));
    this.#options.onSettled(1);
  }
}

function refusalText(objection: Objection | undefined): string {
  if (objection === undefined) return "the manager gave no outcome for this record";
  return `${objection.message} [${objection.reason}]`;
}

function receiptLine(
  { line, hashHex }: Planned,
  place: { readonly height: bigint; readonly position: bigint; readonly sealDigest: Uint8Array },
  { blocks }: SubmitResponse,
): ReceiptLine {
  const block = blocks.find(({ height }) => height === place.height);
  return {
    ...{
      line,
      record_hash: hashHex,
      height: Number(place.height),
      position: Number(place.position),
    },
    seal_digest: toHex(place.sealDigest),
    block_id: toHex(block?.blockId ?? new Uint8Array()),
    time_unix_ms: Number(block?.timestampUnixMs ?? 0n),
    confirmations: Number(block?.confirmations ?? 0n),
    manager_signatures: block?.managerSignatures ?? 0,
    storage_attestations: block?.storageAttestations ?? 0,
  };
}
