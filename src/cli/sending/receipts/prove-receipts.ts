/** Fetches what proves the places of records, for the receipts file: once for each block. */
import { defined } from "../../../base/assert.js";
import { fromHex } from "../../../base/bytes.js";
import type { BssClient } from "../../../client/bss-client.js";
import { UntrueAnswer } from "../../../client/verify/answers.js";
import { blockReceipt, verifyBlockReceipt } from "../../../client/verify/block-receipt.js";
import { RpcError } from "../../../rpc/rpc-error.js";
import { type BlockLine, blockOfLine, lineOfBlock } from "./receipt-lines.js";
import type { ReceiptsFile } from "./receipts-file.js";

type ProveOptions = {
  readonly client: Pick<BssClient, "getReceipt" | "getBlock" | "genesis">;
  readonly receipts: Pick<ReceiptsFile, "unprovenHeights" | "unprovenIn" | "prove">;
  readonly signal: AbortSignal;
};

/**
 * Throws what the client throws, and `UntrueAnswer` where a record is not where it should be: that
 * of the first such block, after all others have been proven.
 */
export async function proveReceipts(options: ProveOptions): Promise<void> {
  const { receipts } = options;
  let untrue: UntrueAnswer | undefined;
  for (const height of receipts.unprovenHeights) {
    try {
      receipts.prove(await proofOf(height, options));
    } catch (error) {
      if (!isUntrue(error)) throw error;
      untrue ??= new UntrueAnswer(`block ${height}: ${error.message}`);
    }
  }
  if (untrue !== undefined) throw untrue;
}

/** Whether a manager says something else than the one that took the records. */
function isUntrue(error: unknown): error is Error {
  if (error instanceof UntrueAnswer) return true;
  const isUnknown = (reason: string) => ["RECORD_UNKNOWN", "BLOCK_UNKNOWN"].includes(reason);
  return error instanceof RpcError && isUnknown(error.reason);
}

async function proofOf(
  height: number,
  { client, receipts, signal }: ProveOptions,
): Promise<BlockLine> {
  const places = receipts.unprovenIn(height);
  const positions = [...places.keys()].sort((a, b) => a - b);
  const [first = -1] = positions;
  const hash = defined(fromHex(places.get(first) ?? ""), "receipts name records by their hashes");
  const receipt = await client.getReceipt(hash, { signal });
  // The block as a whole is only fetched for several records.
  const { block } = positions.length > 1 ? await client.getBlock({ height }, { signal }) : {};
  const line = lineOfBlock(block ? blockReceipt(receipt, block, positions) : { receipt });
  const proven = blockOfLine(line, places);
  const verified = proven && verifyBlockReceipt(proven, client.genesis);
  if (verified?.ok !== true || line.block !== height || receipt.position !== BigInt(first)) {
    throw new UntrueAnswer("it does not hold the records that it was said to add");
  }
  return line;
}
