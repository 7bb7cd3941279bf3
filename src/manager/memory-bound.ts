/**
 * The most memory that a manager may come to hold, whatever others do: the sum of the bounds on
 * everything that they can make it keep. Each part is named here with where its bound comes from;
 * what is held in a new place becomes a line of `memoryParts`.
 *
 * It is a bound on what is held, and no reservation: a manager under ordinary load uses a fraction.
 * The last part is what the collector of garbage may leave lying about between two runs.
 */
import type { ManagerLimits } from "../config/limit-settings.js";
import { sealPieceBytes } from "../crypto/seal.js";
import type { Policy } from "../gen/bss/v1/genesis_pb.js";
import {
  blockRecordsBound,
  certificatesBytesMax,
  controlBytesMax,
} from "../ledger/blocks/block-parsing.js";
import { profileListsBytesMax } from "../ledger/kinds/load-profile.js";
import { managerBlockBytes } from "../ledger/message-sizes.js";
import { blockIntervalsMax } from "../ledger/records/intervals.js";
import {
  type AnswerLimits,
  type ConnectionLimits,
  defaultAnswerLimits,
  defaultConnectionLimits,
  defaultRpcLimits,
  type RpcLimits,
} from "../rpc/bounds/server-limits.js";
import type { RpcServerOptions } from "../rpc/server/server.js";
import { recentStateBytesMax } from "../store/chain/recent-state.js";
import { storeMemoryBytes } from "../store/rocksdb/rocksdb-store.js";
import { windowBytesMax } from "../sync/sync-plan.js";
import { shortQueueShare } from "./peers/peer-links.js";
import { settlementBytesMax } from "./queries/settlement.js";
import { candidatesMax } from "./ring/candidate-blocks.js";
import { compactKeptMax } from "./ring/compact-bodies.js";
import { relayedBytesMax } from "./submissions/broadcast-receiver.js";
import { unpooledBytes } from "./submissions/submit-service.js";

export type MemoryPart = {
  /** For people, in the plural where it is one. */
  readonly what: string;
  readonly bytes: number;
};

export type MemoryBoundOptions = {
  readonly policy: Policy;
  readonly limits: ManagerLimits;
  /** What the manager gives its gRPC server; what it leaves out has its default. */
  readonly server: Pick<RpcServerOptions, "limits" | "connections" | "answers">;
  /** How many managers the consortium has, this one included. */
  readonly managers: number;
};

const MiB = 2 ** 20;

/** Node.js, the code, caches of a fixed number of entries, and the members of the ledger. */
const runtimeBytes = 256 * MiB;
const garbageBytes = 256 * MiB;
/** To each other manager: one of votes, and of relayed submissions one and one for long ones. */
const streamsPerManager = 3;
const queuesPerManager = 2 + shortQueueShare;
/** An answer is there as it was encoded, and as TLS sends it. */
const copiesOfAnswer = 2;
/** An entry of a compact block, decoded: as `wireProblem` counts it, 716 with bits. */
const compactEntryBytes = 720;
/** Its parts at their longest, and its entries as decoded messages. */
const compactBlockBytes =
  controlBytesMax + certificatesBytesMax + blockRecordsBound * compactEntryBytes;
/** A session of TLS and of HTTP/2: an estimate. */
const connectionBytes = 64 * 1024;

export function memoryParts(options: MemoryBoundOptions): readonly MemoryPart[] {
  const { policy, limits, managers, server } = options;
  const rpcLimits = { ...defaultRpcLimits, ...server.limits };
  const connections = { ...defaultConnectionLimits, ...server.connections };
  const answers = { ...defaultAnswerLimits, ...server.answers };
  const others = managers - 1;
  const streams = others * streamsPerManager;
  const queues = others * queuesPerManager;
  return [
    { what: "runtime", bytes: runtimeBytes },
    { what: "store", bytes: storeMemoryBytes },
    { what: "state remembered", bytes: recentStateBytesMax },
    { what: "pool", bytes: limits.poolBytesMax },
    // Of a submission the first and the last may be shared with others, of which it alone is left.
    { what: "pieces of sealed records", bytes: limits.poolSubmissionsMax * 2 * sealPieceBytes },
    { what: "submissions before the pool", bytes: unpooledBytes.totalMax },
    { what: "submissions of managers before the pool", bytes: others * relayedBytesMax },
    { what: "uploads", bytes: uploadBytes(rpcLimits, others) },
    { what: "unread answers", bytes: copiesOfAnswer * answerBytes(answers, others) },
    { what: "connections", bytes: connectionBytes * connectionsMax(connections) },
    { what: "queues to managers", bytes: queues * limits.peerQueueBytesMax },
    // A candidate is held as it came, together with its sealed records.
    {
      what: "candidate blocks",
      bytes: candidatesMax * (managerBlockBytes(policy) + policy.blockBytesMax),
    },
    // What was judged is held as it was parsed as well.
    { what: "load profiles of candidate blocks", bytes: candidatesMax * profileListsBytes(policy) },
    // Each with control operations, certificates and 10,000 entries at most.
    { what: "compact blocks", bytes: compactKeptMax * compactBlockBytes },
    // What managers answer on the streams that this one dialled: one is handled, one read ahead.
    { what: "answers of managers", bytes: streams * 2 * rpcLimits.peerMessageBytesMax },
    { what: "settlement", bytes: settlementBytesMax },
    { what: "blocks ahead of the head", bytes: windowBytesMax },
    { what: "garbage", bytes: garbageBytes },
  ];
}

/** Of a block: lists of integers, each of which takes a byte of it, or stands for an interval. */
function profileListsBytes({ blockRecordsMax, blockBytesMax }: Policy): number {
  const integers = Math.min(blockBytesMax, 3 * blockIntervalsMax);
  return profileListsBytesMax(blockRecordsMax, integers);
}

/** Messages that arrive or are handled. */
function uploadBytes({ uploads }: RpcLimits, others: number): number {
  const { manager, storage, member, invited } = uploads;
  const { totalMax, perCauserMax, reservedPerCauser = 0 } = manager;
  const ofManagers = Math.min(totalMax + others * reservedPerCauser, others * perCauserMax);
  return ofManagers + storage.totalMax + member.totalMax + invited.totalMax;
}

function answerBytes(limits: AnswerLimits, others: number): number {
  const { perManagerBytesMax, managersBytesMax, clientsBytesMax, storageNodesBytesMax } = limits;
  const ofManagers = Math.min(managersBytesMax, others * perManagerBytesMax);
  return ofManagers + clientsBytesMax + storageNodesBytesMax;
}

function connectionsMax({ strangersMax, clientsMax, peersMax }: ConnectionLimits): number {
  return strangersMax + clientsMax + peersMax;
}

/** The sum of all parts, bytes. */
export function memoryBound(options: MemoryBoundOptions): number {
  return memoryParts(options).reduce((sum, { bytes }) => sum + bytes, 0);
}
