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
  /** Those of genesis. */
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
/** Storage nodes that may be admitted later, beside those of genesis. */
export const lateStorageCount = 3;

const epochKey = seedOf("epoch 0");
const known = new Map<string, Consortium>();

export function createConsortium(
  managersCount: number,
  storageCount: number,
  kind: SignatureScheme["kind"],
): Consortium {
  const key = `${managersCount}/${storageCount}/${kind}`;
  const consortium = known.get(key) ?? makeConsortium(managersCount, storageCount, kind);
  known.set(key, consortium);
  return consortium;
}

function makeConsortium(
  managersCount: number,
  storageCount: number,
  kind: SignatureScheme["kind"],
): Consortium {
  const managerIds = numbered("manager", managersCount);
  const storageIds = numbered("storage", storageCount);
  const participantIds = numbered("participant", participantsCount);
  const genesis = makeGenesis(managerIds, storageIds, participantIds);
  const lateIds = numbered("storage", storageCount + lateStorageCount);
  const ids = [...managerIds, ...lateIds, ...participantIds];
  const scheme = kind === "real" ? realSignatures : fakeSignatures(ids, managerIds);
  return { genesis, managerIds, storageIds, participantIds, scheme, epochKey };
}

/** What admits a storage node, in genesis or later. */
export function admission(nodeId: string, sponsorId: string) {
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
  managerIds: readonly string[],
  storageIds: readonly string[],
  participantIds: readonly string[],
): GenesisState {
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
    policy,
    epochCommitment: epochCommitment(0, epochKey),
    beacon: new Uint8Array(64).fill(7),
    operations: [
      ...storageIds.map((nodeId, i) =>
        admission(nodeId, defined(managerIds[i % managerIds.length], "there is a manager")),
      ),
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

const policy = {
  futureBoundMs,
  blockRecordsMax: 12,
  blockBytesMax: 100_000,
  submissionRecordsMax: 10,
  recordBytesMax: 2_000,
  verdictWaitMs: 100,
  timeouts: {
    proposeMs: 60,
    approveMs: 40,
    verifyMs: 60,
    commitMs: 40,
    stepMs: 20,
    maxMs: 1_000,
  },
  heartbeatMs: 0,
  minStorage: 1,
  deliveryIntervalS: hourS,
  priceMinMicroPerKwh: 10_000n,
  priceMaxMicroPerKwh: 500_000n,
  currency: "EUR",
  auditRecords: 2,
  boycottLine: 50,
  suspension: SuspensionMode.NEVER,
} as const;
