/**
 * A small consortium: four managers, four storage nodes, four participants with a meter
 * each, one head-end that submits for participant-1 and participant-2, an operator of each
 * manager. Every key follows from its holder's id.
 */
import { create, toJsonString } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { utf8 } from "../../../../src/base/bytes.js";
import { ed25519KeyPairFromSeed } from "../../../../src/crypto/ed25519.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import { epochCommitment } from "../../../../src/crypto/seal.js";
import { vrfKeyPairFromSeed } from "../../../../src/crypto/vrf.js";
import {
  GenesisSchema,
  OfficerRole,
  SuspensionMode,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { parseGenesis } from "../../../../src/ledger/genesis.js";
import { accepted } from "./outcome.js";

/** Start of a day, Unix s: a multiple of every interval. */
export const startS = 20_000 * 86_400;
/** The meters' interval; four of them are a delivery interval. */
export const quarterS = 900;
export const hourS = 3600;
export const genesisMs = (startS + 10 * 86_400) * 1000;
/** W; 250 Wh in an interval. */
export const ratedPowerW = 1_000;

export const epochKey = sha256(utf8("epoch 0"));

export const managerIds = ["manager-1", "manager-2", "manager-3", "manager-4"] as const;
export const storageIds = ["storage-1", "storage-2", "storage-3", "storage-4"] as const;
export const participantIds = [
  "participant-1",
  "participant-2",
  "participant-3",
  "participant-4",
] as const;

const seed = (name: string) => sha256(utf8(name));
const signingKey = (id: string) => ed25519KeyPairFromSeed(seed(id)).publicKey;

export const genesisMessage = create(GenesisSchema, {
  consortiumName: "test-grid",
  timeUnixMs: BigInt(genesisMs),
  managers: managerIds.map((managerId, i) => ({
    managerId,
    signingKey: signingKey(managerId),
    vrfKey: vrfKeyPairFromSeed(seed(`vrf of ${managerId}`)).publicKey,
    hpkeKey: seed(`hpke of ${managerId}`),
    tlsSpkiSha256: seed(`tls of ${managerId}`),
    address: `127.0.0.1:${7401 + i}`,
  })),
  policy: {
    futureBoundMs: 10_000,
    blockRecordsMax: 100,
    blockBytesMax: 100_000,
    submissionRecordsMax: 50,
    recordBytesMax: 2_000,
    verdictWaitMs: 500,
    timeouts: {
      proposeMs: 1000,
      approveMs: 1000,
      verifyMs: 1000,
      commitMs: 1000,
      stepMs: 500,
      maxMs: 10_000,
    },
    heartbeatMs: 0,
    minStorage: 1,
    deliveryIntervalS: hourS,
    priceMinMicroPerKwh: 10_000n,
    priceMaxMicroPerKwh: 500_000n,
    currency: "EUR",
    auditRecords: 4,
    boycottLine: 50,
    suspension: SuspensionMode.NEVER,
  },
  epochCommitment: epochCommitment(0, epochKey),
  beacon: new Uint8Array(64).fill(7),
  operations: [
    ...storageIds.map((nodeId, i) => ({
      operation: {
        case: "admitStorageNode" as const,
        value: {
          nodeId,
          signingKey: signingKey(nodeId),
          tlsSpkiSha256: seed(`tls of ${nodeId}`),
          sponsorId: defined(managerIds[i], "there are as many managers"),
        },
      },
    })),
    ...["head-end", ...participantIds].map((participantId) => ({
      operation: {
        case: "registerParticipant" as const,
        value: {
          participantId,
          signingKey: signingKey(participantId),
          tlsSpkiSha256: seed(`tls of ${participantId}`),
          agentIds:
            participantId === "participant-1" || participantId === "participant-2"
              ? ["head-end"]
              : [],
        },
      },
    })),
    ...participantIds.map((ownerId, i) => ({
      operation: {
        case: "registerMeter" as const,
        value: {
          meterId: `meter-${i + 1}`,
          ownerId,
          ratedPowerW: BigInt(ratedPowerW),
          intervalS: quarterS,
        },
      },
    })),
    ...managerIds.map((managerId, i) => ({
      operation: {
        case: "registerOfficer" as const,
        value: {
          officerId: `operator-${i + 1}`,
          role: OfficerRole.OPERATOR,
          signingKey: signingKey(`operator-${i + 1}`),
          tlsSpkiSha256: seed(`tls of operator-${i + 1}`),
          managerId,
        },
      },
    })),
  ],
});

export const genesis = accepted(parseGenesis(utf8(toJsonString(GenesisSchema, genesisMessage))));
export const consortiumId = genesis.consortiumId;
export const policy = genesis.policy;

/** The same, but absent managers and offenders are suspended. */
export const floorPolicy = {
  ...policy,
  suspension: SuspensionMode.FLOOR,
  suspendAfterMs: 500,
  resumeWaitMs: 1_000,
  resumeWaitMaxMs: 60_000,
};
