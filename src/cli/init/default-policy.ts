import { create } from "@bufbuild/protobuf";
import {
  type Policy,
  PolicySchema,
  RoundTimeoutsSchema,
  SuspensionMode,
} from "../../gen/bss/v1/genesis_pb.js";

/**
 * What a consortium starts with unless a policy file says otherwise. `storageCount` is the number
 * of first storage nodes.
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
