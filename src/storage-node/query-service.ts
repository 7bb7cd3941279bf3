/**
 * QueryService on a storage node. Queries that need plaintext or an index by participant are
 * refused, and the refusal says whom to ask instead.
 */
import { version } from "../base/version.js";
import { NodeRole, type QueryService } from "../gen/bss/v1/query_pb.js";
import { rootOf } from "../ledger/merkle/frontier.js";
import { progressMessage } from "../node/sync-observer.js";
import type { HeadSignal } from "../query/head-signal.js";
import type { ConsortiumFacts } from "../query/member-queries.js";
import { publicRecordEntry } from "../query/record-queries.js";
import { sharedQueries } from "../query/shared-queries.js";
import { RpcError } from "../rpc/rpc-error.js";
import type { ServiceHandlers } from "../rpc/server/handlers.js";
import type { LedgerReader } from "../store/chain/chain-reads.js";
import { forkAnswer, type HaltState } from "./halting.js";
import type { LiveChain } from "./live-chain.js";
import type { ManagerLinks } from "./manager-links.js";

export type QueryServiceParts = {
  readonly nodeId: string;
  readonly reader: LedgerReader;
  readonly heads: HeadSignal;
  readonly consortium: ConsortiumFacts;
  readonly links: Pick<ManagerLinks, "managerIds" | "isConnected">;
  readonly haltState: Pick<HaltState, "evidence">;
  /** Undefined in a node that was halted when it started. */
  readonly live: Pick<LiveChain, "chain" | "scrubStatus"> | undefined;
};

export function queryService(parts: QueryServiceParts): ServiceHandlers<typeof QueryService> {
  const { nodeId, reader, heads, consortium, links, haltState, live } = parts;
  return {
    ...sharedQueries({ reader, heads, consortium, isConnected: (id) => id === nodeId }),
    getStatus: () => {
      const { height, blockId, frontier } = reader.readerHead;
      return {
        role: NodeRole.STORAGE,
        nodeId,
        version,
        blockId,
        consortiumName: consortium.consortiumName,
        consortiumId: consortium.consortiumId,
        height: BigInt(height),
        treeSize: BigInt(frontier.size),
        root: rootOf(frontier),
        peers: links.managerIds.map((managerId) => ({
          peerId: managerId,
          role: NodeRole.MANAGER,
          connected: links.isConnected(managerId),
          height: BigInt(live?.chain.sync.heightOf(managerId) ?? 0),
        })),
        syncing: live?.chain.sync.behind ?? false,
        ...progressMessage(live?.chain.sync.progress()),
        scrub: scrubMessage(live?.scrubStatus ?? noScrub),
        halted: haltState.evidence?.message ?? "",
      };
    },
    getFork: () => forkAnswer(haltState.evidence),
    getRecord: async (request) => ({ entry: await publicRecordEntry(reader, request) }),
    getRecordHistory: notHere,
    listRecords: notHere,
    getSettlement: notHere,
  };
}

const noScrub = {
  height: 0,
  lastPassUnixMs: 0,
  damaged: 0,
  repaired: 0,
  lastDamage: "",
  repairing: false,
} as const;

function scrubMessage(scrub: LiveChain["scrubStatus"]) {
  const { height, lastPassUnixMs, damaged, repaired, lastDamage, repairing } = scrub;
  return {
    checkedHeight: BigInt(height),
    lastPassUnixMs: BigInt(lastPassUnixMs),
    damaged: BigInt(damaged),
    repaired: BigInt(repaired),
    lastDamage,
    repairing,
  };
}

function notHere(): never {
  throw new RpcError("NOT_ON_STORAGE_NODE", "storage nodes hold no plaintext; ask a manager");
}
