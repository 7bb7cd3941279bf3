/**
 * How the parties of a simulation sign. `real` is Ed25519 and ECVRF as in production. `fake` stands
 * in for them a hundred times faster: a keyed hash that only this process can compute or check. All
 * lengths are right, and a signature still belongs to one key and one digest, so whatever is
 * forged, moved or repeated is refused as it would be.
 */
import { defined } from "../../src/base/assert.js";
import { concatBytes, equalBytes, toHex, utf8 } from "../../src/base/bytes.js";
import { ecvrf, type Vrf } from "../../src/crypto/ecvrf.js";
import { ed25519KeyPairFromSeed, ed25519Sign, ed25519Verify } from "../../src/crypto/ed25519.js";
import { sha256 } from "../../src/crypto/hash.js";
import { vrfKeyPairFromSeed } from "../../src/crypto/vrf.js";
import type { SignatureCheck } from "../../src/ledger/certificates/signature-check.js";

export type SignatureScheme = {
  readonly kind: "real" | "fake";
  sign(id: string, digest: Uint8Array): Uint8Array;
  verify(check: Pick<SignatureCheck, "publicKey" | "digest" | "signature">): boolean;
  readonly vrf: Vrf;
};

/** 32 bytes that are the same for the same name. */
export function seedOf(name: string): Uint8Array {
  return sha256(utf8(name));
}

/** Ed25519 public key of a party. */
export function signingKeyOf(id: string): Uint8Array {
  return ed25519KeyPairFromSeed(seedOf(id)).publicKey;
}

/** VRF public key of a manager. */
export function vrfKeyOf(id: string): Uint8Array {
  return vrfKeyPairFromSeed(vrfSeedOf(id)).publicKey;
}

export const realSignatures: SignatureScheme = {
  kind: "real",
  sign: (id, digest) => ed25519Sign(seedOf(id), digest),
  verify: ({ publicKey, digest, signature }) => ed25519Verify(publicKey, digest, signature),
  vrf: ecvrf,
};

/** `ids` are all who sign, `managerIds` those of them who make blocks. */
export function fakeSignatures(
  ids: readonly string[],
  managerIds: readonly string[],
): SignatureScheme {
  const byKey = new Map(ids.map((id) => [toHex(signingKeyOf(id)), seedOf(id)]));
  const byVrfKey = new Map(managerIds.map((id) => [toHex(vrfKeyOf(id)), vrfSeedOf(id)]));
  const seeds = new Map(ids.map((id) => [id, seedOf(id)]));
  const sign = (seed: Uint8Array, digest: Uint8Array): Uint8Array => {
    const half = sha256(seed, digest);
    return concatBytes(half, half);
  };
  return {
    kind: "fake",
    sign: (id, digest) => sign(defined(seeds.get(id), `${id} signs`), digest),
    verify: ({ publicKey, digest, signature }) => {
      const seed = byKey.get(toHex(publicKey));
      return seed !== undefined && equalBytes(sign(seed, digest), signature);
    },
    vrf: {
      prove: fakeProof,
      proofToHash: fakeOutput,
      verify: (publicKey, alpha, proof) => {
        const seed = byVrfKey.get(toHex(publicKey));
        if (seed === undefined || !equalBytes(fakeProof(seed, alpha), proof)) return undefined;
        return fakeOutput(proof);
      },
    },
  };
}

export function vrfSeedOf(id: string): Uint8Array {
  return seedOf(`vrf of ${id}`);
}

/** 80 bytes. */
function fakeProof(seed: Uint8Array, alpha: Uint8Array): Uint8Array {
  const half = sha256(seed, alpha);
  return concatBytes(half, sha256(half), new Uint8Array(16));
}

/** 64 bytes. */
function fakeOutput(proof: Uint8Array): Uint8Array {
  const half = sha256(utf8("output"), proof);
  return concatBytes(half, sha256(half));
}
