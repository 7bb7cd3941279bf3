/** The answer to a submission: what became of each record, and the blocks that are named once. */
import { create } from "@bufbuild/protobuf";
import { defined } from "../base/assert.js";
import {
  type BlockSummary,
  BlockSummarySchema,
  type RecordOutcome,
  type SubmitResponse,
  SubmitResponseSchema,
} from "../gen/bss/v1/broadcast_pb.js";
import { blockId, parseHeader } from "../ledger/blocks.js";
import type { ManagerStore } from "../store/manager-store.js";

export async function submitResponse(
  store: ManagerStore,
  outcomes: RecordOutcome[],
): Promise<SubmitResponse> {
  const heights = new Set<number>();
  for (const { outcome } of outcomes) {
    if (outcome.case === "committed") heights.add(Number(outcome.value.height));
  }
  const blocks: BlockSummary[] = [];
  for (const height of [...heights].sort((a, b) => a - b)) {
    blocks.push(await summaryOf(store, height));
  }
  return create(SubmitResponseSchema, { outcomes, blocks });
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
