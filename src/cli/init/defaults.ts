/** What `bss init` takes for whatever its options and files leave out. */
import { create } from "@bufbuild/protobuf";
import {
  type Policy,
  PolicySchema,
  RoundTimeoutsSchema,
  SuspensionMode,
} from "../../gen/bss/v1/genesis_pb.js";

/** The meter of a participant that `bss init --participants` makes up. */
export const defaultMeter = { ratedPowerW: 25_000, intervalS: 3600 } as const;

/** Node i of a kind listens on the base port plus the offset of its kind plus i. */
export const defaultBasePort = 7400;
export const portOffsets = {
  manager: 0,
  storage: 100,
  managerMetrics: 2000,
  storageMetrics: 2100,
} as const;

export const countsMax = { managers: 100, storage: 1800, participants: 100_000 } as const;

/**
 * The policy of a consortium whose policy file changes nothing. `storageCount` is the number of its
 * first storage nodes.
 */
export function defaultPolicy(storageCount: number): Policy {
  return create(PolicySchema, {
    futureBoundMs: 60_000,
    blockRecordsMax: 1000,
    blockBytesMax: 4 * 1024 * 1024,
    submissionRecordsMax: 1000,
    recordBytesMax: 64 * 1024,
    verdictWaitMs: 200,
    timeouts: create(RoundTimeoutsSchema, {
      proposeMs: 4000,
      approveMs: 2000,
      verifyMs: 3000,
      commitMs: 1000,
      stepMs: 1000,
      maxMs: 30_000,
    }),
    heartbeatMs: 30_000,
    minStorage: Math.min(4, Math.max(1, storageCount)),
    deliveryIntervalS: 3600,
    deliveryOffsetS: 0,
    priceMinMicroPerKwh: -1_000_000n,
    priceMaxMicroPerKwh: 20_000_000n,
    currency: "USD",
    auditRecords: 4,
    boycottLine: 50,
    suspension: SuspensionMode.FLOOR,
    suspendAfterMs: 5_000,
    resumeWaitMs: 5_000,
    resumeWaitMaxMs: 600_000,
    matchReward: 1_000n,
    storageReward: 1_000_000n,
    auditsPerBlock: 2,
    unreachableAfterMs: 15_000,
  });
}
