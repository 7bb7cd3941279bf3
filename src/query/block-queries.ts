/** GetBlock, ListBlocks and WatchBlocks. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { hashBytes } from "../crypto/hash.js";
import type {
  GetBlockRequest,
  GetBlockResponseSchema,
  ListBlocksRequest,
  ListBlocksResponseSchema,
  WatchBlocksRequest,
  WatchBlocksResponseSchema,
} from "../gen/bss/v1/query_pb.js";
import { RpcError } from "../rpc/rpc-error.js";
import {
  fieldError,
  pagePosition,
  pageSize,
  pageToken,
  requireBytes,
  requireSafeInteger,
} from "../rpc/validation.js";
import type { LedgerReader } from "../store/chain/chain-reads.js";
import { answerPage } from "./answer-page.js";
import { blockView, storedBlock, wireBytes } from "./block-views.js";
import type { HeadSignal } from "./head-signal.js";

const listing = "blocks";
const blocksPerPage = { defaultSize: 20, sizeMax: 100 };

/** @throws RpcError FIELD_INVALID, BLOCK_UNKNOWN */
export async function getBlock(
  reader: LedgerReader,
  { selector, headersOnly }: GetBlockRequest,
): Promise<MessageInitShape<typeof GetBlockResponseSchema>> {
  const height = await selectedHeight(reader, selector);
  const headHeight = reader.readerHead.height;
  if (height > headHeight) {
    throw new RpcError("BLOCK_UNKNOWN", `the ledger's height is ${headHeight}`);
  }
  const block = await storedBlock(reader, height, { leaves: !headersOnly });
  return { block: blockView(block, { height, headHeight, headersOnly }) };
}

/** @throws RpcError FIELD_INVALID, PAGE_TOKEN_INVALID */
export async function listBlocks(
  reader: LedgerReader,
  request: ListBlocksRequest,
): Promise<MessageInitShape<typeof ListBlocksResponseSchema>> {
  const { headersOnly } = request;
  const sizeMax = pageSize(request.pageSize, blocksPerPage);
  const start = requireSafeInteger(request.fromHeight, "from_height");
  // Callers can make tokens up; none may lead to blocks before those that the request asks for.
  const first = Math.max(1, start, tokenHeight(request.pageToken) ?? 1);
  const headHeight = reader.readerHead.height;
  const { items: blocks, next } = await answerPage(
    heights(first, headHeight),
    sizeMax,
    async (height) => {
      const block = await storedBlock(reader, height, { leaves: !headersOnly });
      const view = blockView(block, { height, headHeight, headersOnly });
      return [view, wireBytes(block, headersOnly)];
    },
  );
  return { blocks, nextPageToken: next === undefined ? "" : pageToken(listing, String(next)) };
}

function* heights(first: number, last: number): Generator<number> {
  for (let height = first; height <= last; height++) yield height;
}

/**
 * Every block from a height on, then new ones as they become final. Ends when `signal` aborts.
 *
 * @throws RpcError FIELD_INVALID
 */
export async function* watchBlocks(
  reader: LedgerReader,
  heads: HeadSignal,
  request: WatchBlocksRequest,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof WatchBlocksResponseSchema>> {
  const { headersOnly } = request;
  const wanted = requireSafeInteger(request.fromHeight, "from_height");
  let height = wanted === 0 ? reader.readerHead.height + 1 : wanted;
  while (!signal.aborted) {
    const headHeight = reader.readerHead.height;
    if (height > headHeight) {
      // Nothing was awaited since the head was read, so no announcement was missed in between.
      await heads.next(signal);
      continue;
    }
    const block = await storedBlock(reader, height, { leaves: !headersOnly });
    yield { block: blockView(block, { height, headHeight, headersOnly }) };
    height += 1;
  }
}

async function selectedHeight(
  reader: LedgerReader,
  selector: GetBlockRequest["selector"],
): Promise<number> {
  switch (selector.case) {
    case "height": {
      const height = requireSafeInteger(selector.value, "height");
      if (height === 0) throw fieldError("height", "blocks begin at height 1");
      return height;
    }
    case "blockId": {
      const id = requireBytes(selector.value, hashBytes, "block_id");
      const height = await reader.heightOfBlock(id);
      if (height === undefined) throw new RpcError("BLOCK_UNKNOWN", "no block has this id");
      return height;
    }
    default:
      throw fieldError("selector", "height or block_id must be set");
  }
}

function tokenHeight(token: string): number | undefined {
  const position = pagePosition(listing, token);
  if (position === undefined) return undefined;
  const height = /^[1-9]\d{0,15}$/.test(position) ? Number(position) : Number.NaN;
  if (Number.isSafeInteger(height)) return height;
  throw new RpcError("PAGE_TOKEN_INVALID", "the page token names no height", {
    field: "page_token",
  });
}
