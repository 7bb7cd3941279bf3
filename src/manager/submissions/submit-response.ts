/** The answer to a submission: what became of each record, and the blocks that are named once. */
import { create, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { emptyBytes } from "../../base/bytes.js";
import {
  type BlockSummary,
  BlockSummarySchema,
  type ObjectionSignature,
  type RecordOutcome,
  type SubmitResponse,
  SubmitResponseSchema,
} from "../../gen/bss/v1/broadcast_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import { answerBytesMax } from "../../query/answer-page.js";
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
  const { block, certificates } = defined(
    await store.finalBlock(height),
    "a record is committed by a block that is stored",
  );
  const header = parseHeader(block.header);
  const { commit, integrity } = certificates;
  return create(BlockSummarySchema, {
    height: BigInt(height),
    blockId: blockId(block.header),
    timestampUnixMs: BigInt(header.ok ? header.value.timestampMs : 0),
    confirmations: BigInt(store.head.height - height + 1),
    managerSignatures: commit?.signatures.length ?? 0,
    storageAttestations: integrity?.signatures.length ?? 0,
    header: block.header,
    ...(commit === undefined ? {} : { commitCertificate: commit }),
  });
}
