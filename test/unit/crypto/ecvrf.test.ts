import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { utf8 } from "../../../src/base/bytes.js";
import { ecvrf, rememberVrf } from "../../../src/crypto/ecvrf.js";
import {
  vrfKeyPairFromSeed,
  vrfProofToHash,
  vrfProve,
  vrfVerify,
} from "../../../src/crypto/vrf.js";
import { flipped } from "./vectors.js";

const { publicKey, secretKey } = vrfKeyPairFromSeed(new Uint8Array(32).fill(5));
const alpha = utf8("height 1");
const proof = vrfProve(secretKey, alpha);
const beta = vrfVerify(publicKey, alpha, proof);

function counted() {
  const calls = { prove: 0, proofToHash: 0, verify: 0 };
  const vrf = rememberVrf({
    prove(...given) {
      calls.prove += 1;
      return vrfProve(...given);
    },
    proofToHash(...given) {
      calls.proofToHash += 1;
      return vrfProofToHash(...given);
    },
    verify(...given) {
      calls.verify += 1;
      return vrfVerify(...given);
    },
  });
  return { calls, vrf };
}

describe("the VRF of a node", () => {
  test("gives the answers of the VRF, and works each out once", () => {
    const { calls, vrf } = counted();
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(vrf.prove(secretKey, alpha), proof);
      assert.deepEqual(vrf.proofToHash(proof), beta);
      assert.deepEqual(vrf.verify(publicKey, alpha, proof), beta);
    }
    assert.deepEqual(calls, { prove: 1, proofToHash: 1, verify: 1 });
    assert.deepEqual(ecvrf.verify(publicKey, alpha, proof), beta);
  });

  test("takes no proof for another, whichever part differs", () => {
    const { vrf } = counted();
    assert.deepEqual(vrf.verify(publicKey, alpha, proof), beta);
    for (let i = 0; i < 2; i++) {
      assert.equal(vrf.verify(flipped(publicKey, 3), alpha, proof), undefined);
      assert.equal(vrf.verify(publicKey, flipped(alpha, 3), proof), undefined);
      assert.equal(vrf.verify(publicKey, alpha, flipped(proof, 60)), undefined);
      assert.equal(vrf.verify(publicKey.subarray(1), alpha, proof), undefined);
      assert.equal(vrf.verify(publicKey, alpha, proof.subarray(1)), undefined);
      assert.notDeepEqual(vrf.prove(secretKey, flipped(alpha, 3)), proof);
      assert.notDeepEqual(vrf.prove(flipped(secretKey, 3), alpha), proof);
    }
    assert.deepEqual(vrf.verify(publicKey, alpha, proof), beta);
  });

  test("looks again at what it has refused", () => {
    const { calls, vrf } = counted();
    for (let i = 0; i < 2; i++) vrf.verify(publicKey, utf8("height 2"), proof);
    assert.equal(calls.verify, 2);
  });
});
