/**
 * Who waits for which record. A record is settled once, by a block that adds it or by a refusal,
 * and everybody who waits for it, the first call and its retries alike, gets the same answer: what
 * became of each record, with the blocks that hold them.
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { emptyBytes } from "../../base/bytes.js";
import {
  type BlockSummary,
  BlockSummarySchema,
  type Objection,
  type ObjectionSignature,
  type RecordOutcome,
  RecordOutcomeSchema,
  type RecordPlace,
  RecordPlaceSchema,
  type SubmitResponse,
  SubmitResponseSchema,
} from "../../gen/bss/v1/broadcast_pb.js";
import type { ParsedSubmission } from "../../ledger/records/submissions.js";
import { answerBytesMax } from "../../query/answer-page.js";
import { blockSummary, storedBlock } from "../../query/block-views.js";
import type { RecordLocation } from "../../store/chain/chain-writes.js";
import type { ManagerStore } from "../../store/manager-store.js";

export type RecordSettlement =
  | { readonly kind: "placed"; readonly place: RecordPlace }
  | { readonly kind: "refused"; readonly objection: Objection };

export class RecordOutcomes {
  readonly #watching = new Map<string, Set<OutcomeWatch>>();

  /** Tells everybody who watches the record. */
  settle(recordHex: string, settlement: RecordSettlement): void {
    for (const watch of this.#watching.get(recordHex) ?? []) watch.note(recordHex, settlement);
  }

  /** Whether anybody waits for the record. */
  isAwaited(recordHex: string): boolean {
    return this.#watching.has(recordHex);
  }

  /** Collects what becomes of these records from now on; close it. */
  watch(recordHexes: readonly string[]): OutcomeWatch {
    const watch = new OutcomeWatch(() => {
      for (const hash of recordHexes) this.#remove(hash, watch);
    });
    for (const hash of recordHexes) {
      this.#watching.set(hash, (this.#watching.get(hash) ?? new Set()).add(watch));
    }
    return watch;
  }

  #remove(recordHex: string, watch: OutcomeWatch): void {
    const watches = this.#watching.get(recordHex);
    watches?.delete(watch);
    if (watches?.size === 0) this.#watching.delete(recordHex);
  }
}

export class OutcomeWatch {
  readonly settled = new Map<string, RecordSettlement>();
  readonly close: () => void;
  #onSettled = () => {};

  constructor(close: () => void) {
    this.close = close;
  }

  note(recordHex: string, settlement: RecordSettlement): void {
    if (this.settled.has(recordHex)) return;
    this.settled.set(recordHex, settlement);
    this.#onSettled();
  }

  /** Resolves with true once all of these are settled, with false when `signal` aborts before. */
  all(recordHexes: readonly string[], signal: AbortSignal): Promise<boolean> {
    const complete = () => recordHexes.every((hash) => this.settled.has(hash));
    if (complete() || signal.aborted) return Promise.resolve(complete());
    let open = recordHexes.filter((hash) => !this.settled.has(hash)).length;
    return new Promise((resolve) => {
      const done = () => {
        this.#onSettled = () => {};
        signal.removeEventListener("abort", done);
        resolve(complete());
      };
      // Only what was watched settles here, so counting spares looking through all of it each time.
      this.#onSettled = () => {
        open--;
        if (open <= 0 && complete()) done();
      };
      signal.addEventListener("abort", done, { once: true });
    });
  }
}

export function placeOf({ height, position, sealDigest }: RecordLocation): RecordPlace {
  return create(RecordPlaceSchema, {
    height: BigInt(height),
    position: BigInt(position),
    sealDigest,
  });
}

/** In the order of the submission's records. */
export function outcomesOf(
  submission: ParsedSubmission,
  settled: ReadonlyMap<string, RecordSettlement>,
): RecordOutcome[] {
  return submission.records.map(({ hash, hashHex }) => {
    const settlement = settled.get(hashHex);
    if (settlement === undefined) {
      return create(RecordOutcomeSchema, {
        recordHash: hash,
        outcome: { case: "pending", value: {} },
      });
    }
    const outcome =
      settlement.kind === "placed"
        ? ({ case: "committed", value: settlement.place } as const)
        : ({ case: "objection", value: settlement.objection } as const);
    return create(RecordOutcomeSchema, { recordHash: hash, outcome });
  });
}

/** The objections among outcomes, in their order. */
export function objectionsAmong(outcomes: readonly RecordOutcome[]): readonly Objection[] {
  return outcomes.flatMap(({ outcome }) => (outcome.case === "objection" ? [outcome.value] : []));
}

/** The answer to a submission: what became of each record, and each block named once. */
export async function submitResponse(
  store: Pick<ManagerStore, "head" | "finalBlock">,
  outcomes: RecordOutcome[],
  objectionSignature?: ObjectionSignature,
): Promise<SubmitResponse> {
  const heights = new Set<number>();
  for (const { outcome } of outcomes) {
    if (outcome.case === "committed") heights.add(Number(outcome.value.height));
  }
  const blocks: BlockSummary[] = [];
  let byteCount = outcomes.length * outcomeBytes;
  for (const height of [...heights].sort((a, b) => a - b)) {
    const summary = await summaryOf(store, height);
    byteCount += toBinary(BlockSummarySchema, summary).length;
    blocks.push(byteCount <= answerBytesMax ? summary : withoutProof(summary));
  }
  const signed = objectionSignature === undefined ? {} : { objectionSignature };
  return create(SubmitResponseSchema, { outcomes, blocks, ...signed });
}

/** Bytes of one outcome with an objection or a place, and of what is left of its block. */
const outcomeBytes = 640;

/** Without what proves the block: callers can ask for that, and here it would be too long. */
function withoutProof(summary: BlockSummary): BlockSummary {
  const { commitCertificate: _, ...rest } = summary;
  return create(BlockSummarySchema, { ...rest, header: emptyBytes });
}

async function summaryOf(
  store: Pick<ManagerStore, "head" | "finalBlock">,
  height: number,
): Promise<BlockSummary> {
  const place = { height, headHeight: store.head.height };
  return create(BlockSummarySchema, blockSummary(await storedBlock(store, height), place));
}
