/**
 * The VRF as a node uses it: what has been worked out for a proof lately is not worked out again. A
 * manager asks for the output of a proof that it has just made, and may meet a block that it has
 * checked before, as in another round. Refusals are not remembered.
 */
import { binaryText } from "../base/bytes.js";
import { sha256, sha256Text } from "./hash.js";
import { LruCache } from "./lru-cache.js";
import { vrfProofBytes, vrfProofToHash, vrfProve, vrfVerify } from "./vrf.js";

/** Proofs, their outputs and their checks, as what needs them takes them in. */
export type Vrf = {
  readonly prove: typeof vrfProve;
  readonly proofToHash: typeof vrfProofToHash;
  readonly verify: typeof vrfVerify;
};

const rememberedMax = 64;

/** The same answers as those of `vrf`, as long as these depend on what is given alone. */
export function rememberVrf(vrf: Vrf): Vrf {
  const proofs = new LruCache<Uint8Array>(rememberedMax);
  const outputs = new LruCache<Uint8Array>(rememberedMax);
  const verified = new LruCache<Uint8Array>(rememberedMax);
  return {
    prove(secretSeed, alpha) {
      const name = sha256Text(sha256(secretSeed), alpha);
      return proofs.getOrCreate(name, () => vrf.prove(secretSeed, alpha));
    },
    proofToHash(proof) {
      const name = binaryText(proof);
      const output = outputs.get(name) ?? vrf.proofToHash(proof);
      return output && outputs.getOrCreate(name, () => output);
    },
    verify(publicKey, alpha, proof) {
      // Of fixed lengths but for the last, so that it is clear where each part ends.
      if (publicKey.length !== 32 || proof.length !== vrfProofBytes) {
        return vrf.verify(publicKey, alpha, proof);
      }
      const name = sha256Text(publicKey, proof, alpha);
      const beta = verified.get(name) ?? vrf.verify(publicKey, alpha, proof);
      return beta && verified.getOrCreate(name, () => beta);
    },
  };
}

export const ecvrf: Vrf = rememberVrf({
  prove: vrfProve,
  proofToHash: vrfProofToHash,
  verify: vrfVerify,
});
