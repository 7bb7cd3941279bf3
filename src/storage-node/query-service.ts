/**
 * QueryService on a storage node: all that needs neither plaintext nor an index by participant. The
 * rest is refused, so that a caller knows whom to ask instead.
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
import type { Progress } from "../sync/sync-progress.js";
import { forkAnswer, type HaltEvidence } from "./halting.js";

export type QueryServicePorts = {
  readonly nodeId: string;
  readonly reader: LedgerReader;
  readonly heads: HeadSignal;
  readonly consortium: ConsortiumFacts;
  /** The managers that this node dials, as it knows them now. */
  readonly peers: () => readonly {
    readonly managerId: string;
    readonly connected: boolean;
    /** 0 when unknown. */
    readonly height: number;
  }[];
  readonly syncing: () => boolean;
  /** Undefined when nothing is missing. */
  readonly progress: () => Progress | undefined;
  readonly scrub: () => {
    readonly height: number;
    readonly lastPassUnixMs: number;
    readonly damaged: number;
    readonly repaired: number;
    readonly lastDamage: string;
    readonly repairing: boolean;
  };
  /** Why the node takes part no more. */
  readonly halted: () => HaltEvidence | undefined;
};

export function queryService(ports: QueryServicePorts): ServiceHandlers<typeof QueryService> {
  const { nodeId, reader, heads, consortium } = ports;
  return {
    ...sharedQueries({ reader, heads, consortium, isConnected: (id) => id === nodeId }),
    getStatus: () => {
      const { height, blockId, frontier } = reader.head();
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
        peers: ports.peers().map(({ managerId, connected, height: peerHeight }) => ({
          peerId: managerId,
          role: NodeRole.MANAGER,
          connected,
          height: BigInt(peerHeight),
        })),
        syncing: ports.syncing(),
        ...progressMessage(ports.progress()),
        scrub: scrubMessage(ports.scrub()),
        halted: ports.halted()?.message ?? "",
      };
    },
    getFork: () => forkAnswer(ports.halted()),
    getRecord: async (request) => ({ entry: await publicRecordEntry(reader, request) }),
    getRecordHistory: notHere,
    listRecords: notHere,
  };
}

function scrubMessage(scrub: ReturnType<QueryServicePorts["scrub"]>) {
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
