/**
 * Final blocks that another manager ships, as they go through `BlockSync` into this one's chain.
 * Only what can be told without the state is looked at here: the parts that must be there, and the
 * height.
 */
import type { BlockCertificates, ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import type { ManagerBlocks } from "../../gen/bss/v1/vote_pb.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import type { SyncAnswer } from "../../sync/sync-events.js";
import type { SyncBlock } from "../../sync/sync-window.js";

export type ShippedManagerBlock = SyncBlock & {
  readonly block: ManagerBlock;
  readonly certificates: BlockCertificates;
};

/** A leaf with what a decoded message needs around it. */
const leafBytes = 256;
/** Header, certificates, and what they need around them. */
const frameBytes = 4_096;

/** The blocks of an answer up to the first one that cannot be read. */
export function readAnswer(
  peer: string,
  { blocks, headHeight }: ManagerBlocks,
): Omit<SyncAnswer<ShippedManagerBlock>, "kind"> {
  const read: ShippedManagerBlock[] = [];
  const height = headHeight <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(headHeight) : 0;
  for (const { block, certificates } of blocks) {
    const header = block?.block && parseHeader(block.block.header);
    if (block === undefined || certificates === undefined || !header?.ok) {
      const malformed = "a block without its parts";
      return { peer, blocks: read, headHeight: height, malformed };
    }
    const shipped = { block, certificates, byteCount: byteCountOf(block) };
    read.push({ height: header.value.height, ...shipped });
  }
  return { peer, blocks: read, headHeight: height };
}

function byteCountOf({ block, records, privateEntries }: ManagerBlock): number {
  const bytes = [...records, ...privateEntries].reduce((sum, { length }) => sum + length, 0);
  return frameBytes + bytes + (block?.leaves.length ?? 0) * leafBytes;
}
