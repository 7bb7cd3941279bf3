/** A consortium in memory with every secret key, so that tests can let anybody sign anything. */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import { utf8 } from "../../../src/base/bytes.js";
import { type Ed25519Signer, ed25519Signer, ed25519Verify } from "../../../src/crypto/ed25519.js";
import { sha256 } from "../../../src/crypto/hash.js";
import { vrfKeyPairFromSeed } from "../../../src/crypto/vrf.js";
import { type Policy, PolicySchema, SuspensionMode } from "../../../src/gen/bss/v1/genesis_pb.js";
import type { SignatureCheck } from "../../../src/ledger/certificates/signature-check.js";
import {
  initialStanding,
  type Manager,
  type StorageNode,
} from "../../../src/ledger/members/member-lists.js";
import { Members } from "../../../src/ledger/members/members.js";
import { initialStorageStanding } from "../../../src/ledger/storage-nodes/credit.js";
import { hpkeKeyPairFromSecret } from "../../support/hpke-key-pair.js";

export const consortiumId = sha256(utf8("a consortium"));

export const policy: Policy = create(PolicySchema, {
  futureBoundMs: 60_000,
  blockRecordsMax: 1_000,
  blockBytesMax: 4 * 2 ** 20,
  submissionRecordsMax: 1_000,
  recordBytesMax: 65_536,
  verdictWaitMs: 200,
  timeouts: {
    proposeMs: 2_000,
    approveMs: 1_000,
    verifyMs: 2_000,
    commitMs: 500,
    stepMs: 500,
    maxMs: 20_000,
  },
  heartbeatMs: 30_000,
  minStorage: 1,
  deliveryIntervalS: 3_600,
  priceMinMicroPerKwh: -1_000_000n,
  priceMaxMicroPerKwh: 20_000_000n,
  currency: "USD",
  auditRecords: 4,
  boycottLine: 50,
  suspension: SuspensionMode.NEVER,
});

/** 32 bytes that belong to `name` alone. */
export function bytesOf(name: string): Uint8Array {
  return sha256(utf8(name));
}

export function signerOf(id: string): Ed25519Signer {
  return ed25519Signer(bytesOf(`signing key of ${id}`));
}

export function managerOf(id: string, active = true): Manager {
  return {
    managerId: id,
    signingKey: signerOf(id).publicKey,
    vrfKey: vrfKeyPairFromSeed(bytesOf(`vrf key of ${id}`)).publicKey,
    hpkeKey: hpkeKeyPairFromSecret(bytesOf(`hpke key of ${id}`)).publicKey,
    tlsSpkiSha256: bytesOf(`spki of ${id}`),
    address: `${id}.example:7400`,
    ...initialStanding,
    ...(active ? {} : { active, reason: "absent" }),
  };
}

export function storageNodeOf(id: string, sponsorId = "manager-1"): StorageNode {
  return {
    nodeId: id,
    signingKey: signerOf(id).publicKey,
    tlsSpkiSha256: bytesOf(`spki of ${id}`),
    sponsorId,
    ...initialStorageStanding,
  };
}

/** manager-1 to manager-N; storage-1 to storage-X (fewer than 10), sponsored in turn. */
export function membersOf(options: { managers: number; storage: number }): Members {
  const ids = Array.from({ length: options.managers }, (_, i) => `manager-${i + 1}`);
  const storageNodes = Array.from({ length: options.storage }, (_, i) =>
    storageNodeOf(`storage-${i + 1}`, defined(ids[i % ids.length], "there is a manager")),
  );
  return new Members({ managers: ids.map((id) => managerOf(id)), storageNodes, officers: [] });
}

/** Whether all obligations hold. */
export function allVerify(checks: readonly SignatureCheck[]): boolean {
  return checks.every((each) => ed25519Verify(each.publicKey, each.digest, each.signature));
}
