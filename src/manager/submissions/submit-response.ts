/** The answer to a submission: what became of each record, and the blocks that are named once. */
import { create, toBinary } from "@bufbuild/protobuf";
import { emptyBytes } from "../../base/bytes.js";
import {
  type BlockSummary,
  BlockSummarySchema,
  type ObjectionSignature,
  type RecordOutcome,
  type SubmitResponse,
  SubmitResponseSchema,
} from "../../gen/bss/v1/broadcast_pb.js";
import { answerBytesMax } from "../../query/answer-page.js";
import { blockSummary, storedBlock } from "../../query/block-views.js";
import type { ManagerStore } from "../../store/manager-store.js";

export async function submitResponse(
  store: ManagerStore,
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

/** Of one outcome with an objection, or a place, and of what is left of its block. */
const outcomeBytes = 640;

/** What proves a block can be asked for, and would make the answer too long. */
function withoutProof(summary: BlockSummary): BlockSummary {
  const { commitCertificate: _, ...rest } = summary;
  return create(BlockSummarySchema, { ...rest, header: emptyBytes });
}

async function summaryOf(store: ManagerStore, height: number): Promise<BlockSummary> {
  const place = { height, headHeight: store.head.height };
  return create(BlockSummarySchema, blockSummary(await storedBlock(store, height), place));
}
