/** The methods of QueryService that managers and storage nodes answer alike. */
import type { QueryService } from "../gen/bss/v1/query_pb.js";
import type { ServiceHandlers } from "../rpc/server/handlers.js";
import type { LedgerReader } from "../store/chain/chain-reads.js";
import { getBlock, listBlocks, watchBlocks } from "./block-queries.js";
import type { HeadSignal } from "./head-signal.js";
import {
  type ConsortiumFacts,
  getConsortium,
  type HeardOfNode,
  listStorageNodes,
} from "./member-queries.js";
import { getConsistencyProof, getReceipt } from "./record-queries.js";

export type SharedQueriesPorts = {
  readonly reader: LedgerReader;
  /** Announces after each append. */
  readonly heads: HeadSignal;
  readonly consortium: ConsortiumFacts;
  /** Whether this node has a stream with a storage node; a storage node has one with none. */
  readonly isConnected: (nodeId: string) => boolean;
  /** What this node, a manager, has heard of a storage node. */
  readonly heardOf?: (nodeId: string) => HeardOfNode;
};

export function sharedQueries(options: SharedQueriesPorts) {
  const { reader, heads, consortium } = options;
  return {
    getReceipt: (request) => getReceipt(reader, request),
    getBlock: (request) => getBlock(reader, request),
    listBlocks: (request) => listBlocks(reader, request),
    watchBlocks: (request, context) => watchBlocks(reader, heads, request, context.signal),
    getConsistencyProof: (request) => getConsistencyProof(reader, request),
    getConsortium: (request) => getConsortium(reader, request, consortium),
    listStorageNodes: (request) =>
      listStorageNodes(reader, request, { ...options, policy: consortium.policy }),
  } as const satisfies ServiceHandlers<typeof QueryService>;
}
