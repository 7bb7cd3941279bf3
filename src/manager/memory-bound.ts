/**
 * The most memory that a manager may come to hold, whatever others do: the sum of the bounds on
 * everything that they can make it keep. Each part is named here with where its bound comes from;
 * what is held in a new place becomes a line of `memoryParts`.
 *
 * It is a bound on what is held, and no reservation: a manager under ordinary load uses a fraction.
 * The last part is what the collector of garbage may leave lying about between two runs.
 */
import type { ManagerLimits } from "../config/limits.js";
import type { Policy } from "../gen/bss/v1/genesis_pb.js";
import { managerBlockBytes } from "../ledger/message-sizes.js";
import { storeMemoryBytes } from "../store/rocksdb-store.js";
import { windowBytesMax } from "../sync/sync-plan.js";
import { candidatesMax } from "./candidate-blocks.js";

export type MemoryPart = {
  /** For people, in the plural where it is one. */
  readonly what: string;
  readonly bytes: number;
};

export type MemoryBoundOptions = {
  readonly policy: Policy;
  readonly limits: ManagerLimits;
  /** Of the consortium, this one included. */
  readonly managers: number;
};

const MiB = 2 ** 20;

/** Node.js, the code, caches of a fixed number of entries, and the members of the ledger. */
const runtimeBytes = 256 * MiB;
const garbageBytes = 256 * MiB;
/** To each other manager: one of votes and one of relayed submissions. */
const streamsPerManager = 2;

export function memoryParts(options: MemoryBoundOptions): readonly MemoryPart[] {
  const { policy, limits, managers } = options;
  const queues = (managers - 1) * streamsPerManager;
  return [
    { what: "runtime", bytes: runtimeBytes },
    { what: "store", bytes: storeMemoryBytes },
    { what: "pool", bytes: limits.poolBytesMax },
    { what: "queues to managers", bytes: queues * limits.peerQueueBytesMax },
    // As it came, and its sealed records.
    {
      what: "candidate blocks",
      bytes: candidatesMax * (managerBlockBytes(policy) + policy.blockBytesMax),
    },
    { what: "blocks ahead of the head", bytes: windowBytesMax },
    { what: "garbage", bytes: garbageBytes },
  ];
}

/** The sum of all parts, bytes. */
export function memoryBound(options: MemoryBoundOptions): number {
  return memoryParts(options).reduce((sum, { bytes }) => sum + bytes, 0);
}
