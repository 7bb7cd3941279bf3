/**
 * Follows the chain: gives every block from a height on, once and in order, for as long as the
 * caller reads. If the stream is lost, another one continues after the last block that was given,
 * at another manager if need be.
 */
import { equalBytes } from "../base/bytes.js";
import { type BlockView, QueryService } from "../gen/bss/v1/query_pb.js";
import { RpcError } from "../rpc/rpc-error.js";
import { rpcErrorOf } from "../rpc/status-details.js";
import {
  type Connections,
  ManagerRound,
  mayRepeat,
  pause,
  unreachableTimeoutMs,
} from "./manager-connections.js";
import { isUnreachable } from "./manager-failures.js";
import { checkedBlock, UntrueAnswer } from "./verify/answers.js";

export type WatchOptions = {
  /** Leave out leaves, control operations and certificates' signatures. */
  readonly headersOnly?: boolean;
  readonly signal?: AbortSignal;
  /** Called after each loss of the stream. */
  readonly onReconnect?: (error: RpcError, nextHeight: number) => void;
};

/**
 * Blocks from `fromHeight` on; without it from the first block after the head of the manager that
 * is asked. Throws `RpcError` when TLS refuses every manager, and, before the first block, when no
 * manager can be reached for 3 s, as a call does; from then on it waits for managers without end.
 */
export async function* watchBlocks(
  connections: Connections,
  fromHeight: number | undefined,
  options: WatchOptions = {},
): AsyncGenerator<BlockView, void, undefined> {
  const { signal, headersOnly = false, onReconnect } = options;
  const round = new ManagerRound(connections);
  // Fixed before the first stream: "after the head" would skip blocks when a later stream begins.
  let height = fromHeight ?? (await headHeight(connections, signal)) + 1;
  let lastBlockId: Uint8Array | undefined;
  let failingMs: number | undefined;
  for (;;) {
    const connection = connections.current();
    const request = { fromHeight: BigInt(height), headersOnly };
    const callOptions = signal === undefined ? {} : { signal };
    try {
      const { watchBlocks: method } = QueryService.method;
      for await (const { block } of connection.watch(method, request, callOptions)) {
        if (block?.height !== BigInt(height)) throw outOfOrder(connection.address, height, block);
        const { view, previousBlockId } = checkedBlock(block, { height });
        if (lastBlockId !== undefined && !equalBytes(previousBlockId, lastBlockId)) {
          throw new UntrueAnswer(`block ${height} does not follow the block before it: a fork`);
        }
        lastBlockId = view.blockId;
        height += 1;
        round.succeed();
        yield view;
      }
      throw new RpcError("NODE_STOPPING", "the node ended the stream of blocks");
    } catch (thrown) {
      if (thrown instanceof UntrueAnswer) throw thrown;
      const error = rpcErrorOf(thrown);
      if (signal?.aborted === true || !mayGoOn(error)) throw error;
      failingMs ??= performance.now();
      const waitMs = round.leave(connection, error);
      const nobodyThere = lastBlockId === undefined && round.allFail(isUnreachable);
      if (nobodyThere && performance.now() - failingMs + waitMs > unreachableTimeoutMs)
        throw round.summary(error);
      onReconnect?.(error, height);
      await pause(waitMs, signal);
    }
  }
}

async function headHeight(
  connections: Connections,
  signal: AbortSignal | undefined,
): Promise<number> {
  const options = signal === undefined ? {} : { signal };
  const status = await connections.call(QueryService.method.getStatus, {}, options);
  return Number(status.height);
}

/** A manager that breaks the order is treated like one that cannot be reached. */
function outOfOrder(address: string, wanted: number, block: BlockView | undefined): RpcError {
  const got = block === undefined ? "no block" : `block ${block.height}`;
  const message = `${address} sent ${got} instead of block ${wanted}`;
  return new RpcError("NODE_UNREACHABLE", message);
}

function mayGoOn(error: RpcError): boolean {
  return mayRepeat(error) || ["INTERNAL", "UNKNOWN"].includes(error.status);
}
