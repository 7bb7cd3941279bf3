/** Opening a chain: its head must agree with the log, the block and the certificates on disk. */
import { equalBytes } from "../../base/bytes.js";
import type { BlockCertificates } from "../../gen/bss/v1/block_pb.js";
import { encodeFrontier, type Frontier } from "../../ledger/merkle/frontier.js";
import type { KeyValueStore } from "../key-value-store.js";
import type { ChainReads } from "./chain-reads.js";
import { chainKeys } from "./chain-writes.js";
import { readFrontier } from "./merkle-log-store.js";
import { damaged, present } from "./stored-values.js";

/** @throws StoreError CORRUPT when there is no head, or `decode` cannot read it. */
export async function readHead<Head>(
  kv: KeyValueStore,
  decode: (bytes: Uint8Array) => Head | undefined,
): Promise<Head> {
  const bytes = present(await kv.get(chainKeys.head), "the head");
  const head = decode(bytes);
  if (head === undefined) throw damaged("the head", "does not decode");
  return head;
}

/**
 * The certificates of the head block, undefined at height 0.
 *
 * @throws StoreError CORRUPT when the Merkle log or the head's block is not that of the head
 */
export async function checkHead(
  kv: KeyValueStore,
  chain: Pick<ChainReads, "readerHead" | "finalBlock" | "heightOfBlock">,
): Promise<BlockCertificates | undefined> {
  const { height, blockId, frontier } = chain.readerHead;
  if (!isSameLog(await readFrontier(kv, frontier.size), frontier)) {
    throw damaged("the Merkle log", "is not that of the head");
  }
  if (height === 0) return undefined;
  const { certificates } = present(await chain.finalBlock(height), "the head's block");
  if ((await chain.heightOfBlock(blockId)) === height) return certificates;
  throw damaged("the head's block", "is another one than the head names");
}

function isSameLog(a: Frontier, b: Frontier): boolean {
  return equalBytes(encodeFrontier(a), encodeFrontier(b));
}
