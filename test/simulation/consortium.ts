/** The consortium of a simulation: N managers, X storage nodes, a few participants with meters. */
import { create, toJsonString } from "@bufbuild/protobuf";
import { assert, defined } from "../../src/base/assert.js";
import { utf8 } from "../../src/base/bytes.js";
import { epochCommitment } from "../../src/crypto/seal.js";
import { GenesisSchema, SuspensionMode } from "../../src/gen/bss/v1/genesis_pb.js";
import { type GenesisState, parseGenesis } from "../../src/ledger/genesis.js";
import {
  fakeSignatures,
  realSignatures,
  type SignatureScheme,
  seedOf,
  signingKeyOf,
  vrfKeyOf,
} from "./signatures.js";

export type Consortium = {
  readonly genesis: GenesisState;
  readonly managerIds: readonly string[];
  readonly storageIds: readonly string[];
  readonly participantIds: readonly string[];
  readonly scheme: SignatureScheme;
  readonly epochKey: Uint8Array;
};

/** Start of a day, Unix s. */
export const firstDayS = 20_000 * 86_400;
/** The meters' interval; four of them are a delivery interval. */
export const quarterS = 900;
export const hourS = 3_600;
/** W; 1,000 Wh in an interval. */
export const ratedPowerW = 4_000;
/** Ten days after the first readings. */
export const genesisMs = (firstDayS + 10 * 86_400) * 1_000;
export const futureBoundMs = 2_000;

export const participantsCount = 5;

export type ConsortiumOptions = {
  readonly managersCount: number;
  readonly storageCount: number;
  readonly signatures: SignatureScheme["kind"];
  /** Whether one manager sponsors more storage nodes than its share. */
  readonly packed: boolean;
  readonly policy: PolicyPlan;
};

/** What a seed chooses of the policy. */
export type PolicyPlan = {
  readonly suspension: SuspensionMode;
  readonly suspendAfterMs: number;
  readonly resumeWaitMs: number;
  readonly resumeWaitMaxMs: number;
  /** By how much more than the shortest the steps of a round may take. */
  readonly patience: number;
  readonly blockRecordsMax: number;
  readonly heartbeatMs: number;
  readonly auditsPerBlock: number;
  /** 0 for never. */
  readonly unreachableAfterMs: number;
};

const epochKey = seedOf("epoch 0");
const known = new Map<string, Consortium>();

export function createConsortium(options: ConsortiumOptions): Consortium {
  const { managersCount, storageCount, signatures, packed, policy } = options;
  const key = JSON.stringify({ managersCount, storageCount, signatures, packed, policy });
  const consortium = known.get(key) ?? makeConsortium(options);
  known.set(key, consortium);
  return consortium;
}

/** Without suspension, with the shortest steps and cheap signatures. */
export function plainConsortium(managersCount: number, storageCount: number): Consortium {
  return createConsortium({
    managersCount,
    storageCount,
    signatures: "fake",
    packed: false,
    policy: {
      suspension: SuspensionMode.NEVER,
      suspendAfterMs: 0,
      resumeWaitMs: 0,
      resumeWaitMaxMs: 0,
      patience: 1,
      blockRecordsMax: 12,
      heartbeatMs: 0,
      auditsPerBlock: 0,
      unreachableAfterMs: 0,
    },
  });
}

function makeConsortium(options: ConsortiumOptions): Consortium {
  const managerIds = numbered("manager", options.managersCount);
  const storageIds = numbered("storage", options.storageCount);
  const participantIds = numbered("participant", participantsCount);
  const genesis = makeGenesis({ managerIds, storageIds, participantIds }, options);
  const ids = [...managerIds, ...storageIds, ...participantIds];
  const scheme = options.signatures === "real" ? realSignatures : fakeSignatures(ids, managerIds);
  return { genesis, managerIds, storageIds, participantIds, scheme, epochKey };
}

function admission(nodeId: string, sponsorId: string) {
  return {
    operation: {
      case: "admitStorageNode" as const,
      value: {
        nodeId,
        signingKey: signingKeyOf(nodeId),
        tlsSpkiSha256: seedOf(`tls of ${nodeId}`),
        sponsorId,
      },
    },
  };
}

export function meterOf(participantId: string): string {
  return participantId.replace("participant", "meter");
}

export function numbered(role: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `${role}-${i + 1}`);
}

function makeGenesis(
  { managerIds, storageIds, participantIds }: Ids,
  { policy, packed }: ConsortiumOptions,
): GenesisState {
  const sponsorOf = (place: number) =>
    defined(managerIds[packed ? 0 : place % managerIds.length], "there is a manager");
  const message = create(GenesisSchema, {
    consortiumName: "simulated-grid",
    timeUnixMs: BigInt(genesisMs),
    managers: managerIds.map((managerId, i) => ({
      managerId,
      signingKey: signingKeyOf(managerId),
      vrfKey: vrfKeyOf(managerId),
      hpkeKey: seedOf(`hpke of ${managerId}`),
      tlsSpkiSha256: seedOf(`tls of ${managerId}`),
      address: `127.0.0.1:${7401 + i}`,
    })),
    policy: policyOf(policy),
    epochCommitment: epochCommitment(0, epochKey),
    beacon: new Uint8Array(64).fill(7),
    operations: [
      ...storageIds.map((nodeId, i) => admission(nodeId, sponsorOf(i))),
      ...participantIds.map((participantId) => ({
        operation: {
          case: "registerParticipant" as const,
          value: {
            participantId,
            signingKey: signingKeyOf(participantId),
            tlsSpkiSha256: seedOf(`tls of ${participantId}`),
          },
        },
      })),
      ...participantIds.map((ownerId) => ({
        operation: {
          case: "registerMeter" as const,
          value: {
            meterId: meterOf(ownerId),
            ownerId,
            ratedPowerW: BigInt(ratedPowerW),
            intervalS: quarterS,
          },
        },
      })),
    ],
  });
  const parsed = parseGenesis(utf8(toJsonString(GenesisSchema, message)));
  assert(parsed.ok, "the genesis of a simulation is right");
  return parsed.value;
}

type Ids = Pick<Consortium, "managerIds" | "storageIds" | "participantIds">;

function policyOf(plan: PolicyPlan) {
  const { suspension, suspendAfterMs, resumeWaitMs, resumeWaitMaxMs, patience } = plan;
  return {
    futureBoundMs,
    blockRecordsMax: plan.blockRecordsMax,
    blockBytesMax: 100_000,
    submissionRecordsMax: 10,
    recordBytesMax: 2_000,
    verdictWaitMs: 100,
    timeouts: {
      proposeMs: 60 * patience,
      approveMs: 40 * patience,
      verifyMs: 60 * patience,
      commitMs: 40 * patience,
      stepMs: 20 * patience,
      maxMs: 1_000 * patience,
    },
    heartbeatMs: plan.heartbeatMs,
    minStorage: 1,
    deliveryIntervalS: hourS,
    priceMinMicroPerKwh: 10_000n,
    priceMaxMicroPerKwh: 500_000n,
    currency: "EUR",
    auditRecords: 2,
    boycottLine: 50,
    matchReward: 1_000n,
    // As much as a policy allows: what is stored here is little, and not for long.
    storageReward: 10n ** 12n,
    auditsPerBlock: plan.auditsPerBlock,
    unreachableAfterMs: plan.unreachableAfterMs,
    suspension,
    ...(suspension === SuspensionMode.FLOOR
      ? { suspendAfterMs, resumeWaitMs, resumeWaitMaxMs }
      : {}),
  };
}
