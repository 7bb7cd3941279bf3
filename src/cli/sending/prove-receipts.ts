/** Fetches what proves the places of records, for the receipts file: once for each block. */
import { defined } from "../../base/assert.js";
import { fromHex } from "../../base/bytes.js";
import type { BssClient } from "../../client/bss-client.js";
import { UntrueAnswer } from "../../client/verify/answers.js";
import { blockReceipt, verifyBlockReceipt } from "../../client/verify/block-receipt.js";
import type { ProgressFile } from "./progress-file.js";
import { blockOfLine, lineOfBlock } from "./receipt-lines.js";

type ProveOptions = {
  readonly client: Pick<BssClient, "getReceipt" | "getBlock" | "genesis">;
  readonly progressFile: Pick<ProgressFile, "unprovenHeights" | "unprovenIn" | "prove">;
  readonly signal: AbortSignal;
};

/** Throws what the client throws, and `UntrueAnswer` where a record is not where it should be. */
export async function proveReceipts(options: ProveOptions): Promise<void> {
  const { client, progressFile, signal } = options;
  for (const height of progressFile.unprovenHeights) {
    const places = progressFile.unprovenIn(height);
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
      throw new UntrueAnswer(`block ${height} does not hold the records that it was said to add`);
    }
    progressFile.prove(line);
  }
}
