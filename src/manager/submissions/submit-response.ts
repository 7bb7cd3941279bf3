/** What a caller of Submit is told: what became of each record, with the blocks that hold them. */
import { create } from "@bufbuild/protobuf";
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
import { encode } from "../../ledger/wire.js";
import { answerBytesMax } from "../../query/answer-page.js";
import type { RecordLocation } from "../../store/chain/chain-writes.js";
import type { BlockSummaries } from "./block-summaries.js";
import type { RecordSettlement } from "./record-outcomes.js";

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
  summaries: Pick<BlockSummaries, "of">,
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
    const summary = create(BlockSummarySchema, await summaries.of(height));
    byteCount += encode(BlockSummarySchema, summary).length;
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
