import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ed25519KeyPairFromSeed } from "../../../../src/crypto/ed25519.js";
import { vrfKeyPairFromSeed } from "../../../../src/crypto/vrf.js";
import type { GenesisState } from "../../../../src/ledger/genesis.js";
import { checkManagerKeys, openEpochKey } from "../../../../src/manager/signing/manager-keys.js";

describe("a manager's keys at its start", () => {
  const seed = (byte: number) => new Uint8Array(32).fill(byte);
  const keys = { signingSeed: seed(1), vrfSeed: seed(2) } as Parameters<typeof checkManagerKeys>[1];
  const genesisWith = (signing: number, vrf: number) => {
    const member = {
      signingKey: ed25519KeyPairFromSeed(seed(signing)).publicKey,
      vrfKey: vrfKeyPairFromSeed(seed(vrf)).publicKey,
    };
    const members = { manager: (id: string) => (id === "manager-1" ? member : undefined) };
    return { members } as unknown as GenesisState;
  };

  test("are those that genesis names", () => {
    checkManagerKeys("manager-1", keys, genesisWith(1, 2));
    for (let byte = 3; byte < 20; byte++) {
      const own = { ...keys, vrfSeed: seed(byte) };
      checkManagerKeys("manager-1", own, genesisWith(1, byte));
    }
  });

  test("are refused where one of them is another's", () => {
    const refused = /the (signing|VRF) key is not manager-1's/;
    assert.throws(() => checkManagerKeys("manager-1", keys, genesisWith(3, 2)), refused);
    assert.throws(() => checkManagerKeys("manager-1", keys, genesisWith(1, 3)), refused);
    assert.throws(() => checkManagerKeys("manager-2", keys, genesisWith(1, 2)), /no manager/);
  });

  test("open no wrap under another genesis, and both are named", async () => {
    const opened = openEpochKey(
      "manager-1",
      { ...keys, hpkeSecretKey: seed(3), epochWraps: [new Uint8Array(80)] },
      { ...genesisWith(1, 2), consortiumId: seed(0xab) },
    );
    await assert.rejects(opened, {
      message: /epoch key 0 does not open with this `hpke_key` and this genesis/,
      next: /^compare genesis\.json \(SHA-256 (ab){32}\) with other managers'; .+`hpke_key`/,
    });
  });
});
