/** What a manager proves itself with, checked against genesis before anything starts. */
import { equalBytes, toHex } from "../../base/bytes.js";
import type { ManagerKeys } from "../../config/key-files.js";
import type { ManagerConfig } from "../../config/node-config.js";
import { ed25519KeyPairFromSeed } from "../../crypto/ed25519.js";
import { unwrapEpochKey } from "../../crypto/hpke.js";
import { epochCommitment } from "../../crypto/seal.js";
import type { GenesisState } from "../../ledger/genesis.js";
import { readCertificate } from "../../rpc/tls/certificate.js";

/** A start that cannot go on; `next` says what its operator can do. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}

/** Throws unless `id` is a manager of the consortium and its keys are those that genesis names. */
export function checkManagerKeys(id: string, keys: ManagerKeys, genesis: GenesisState): void {
  const manager = genesis.members.manager(id);
  if (manager === undefined) {
    const next = "check `id` and `consortium` in config.yaml";
    throw new StartError(`genesis knows no manager ${id}`, next);
  }
  if (!equalBytes(ed25519KeyPairFromSeed(keys.signingSeed).publicKey, manager.signingKey)) {
    const next = "check `signing_key`, `id` and `consortium` in config.yaml";
    throw new StartError(`the signing key is not ${id}'s`, next);
  }
  // A VRF's key pair is that of Ed25519 (RFC 9381 §5.5). OpenSSL needs 0.1 ms for it; the VRF makes
  // a table first, which takes 40 ms, and is soon enough made for the first proof.
  if (!equalBytes(ed25519KeyPairFromSeed(keys.vrfSeed).publicKey, manager.vrfKey)) {
    throw new StartError(`the VRF key is not ${id}'s`, "check `vrf_key` in config.yaml");
  }
}

/** Throws unless the certificate is for the TLS key that genesis names. */
export function checkTlsKey(
  { id, tls: { certificate: file } }: Pick<ManagerConfig, "id" | "tls">,
  certPem: string,
  genesis: GenesisState,
): void {
  const registered = genesis.members.manager(id)?.tlsSpkiSha256;
  const { spkiSha256 } = readCertificate(certPem) ?? {};
  if (registered !== undefined && spkiSha256 !== undefined && equalBytes(registered, spkiSha256)) {
    return;
  }
  const next = "restore tls.key and tls.crt from a backup: the key cannot change";
  throw new StartError(`the TLS key of ${file} is not the one that genesis names for ${id}`, next);
}

/** Opens this manager's wrap of epoch 0 and holds the key against the public commitment. */
export async function openEpochKey(
  id: string,
  keys: ManagerKeys,
  { consortiumId, genesis }: GenesisState,
): Promise<Uint8Array> {
  const wrapped = keys.epochWraps[0] ?? new Uint8Array();
  const key = await unwrapEpochKey({
    secretKey: keys.hpkeSecretKey,
    epochNumber: 0,
    consortiumId,
    managerId: id,
    wrapped,
  });
  const next = "restore the file from a backup, or ask another manager's operator for a new wrap";
  if (key === undefined) {
    // A wrap is bound to the bytes of genesis, and a space too much there shows here first.
    const check = `compare genesis.json (SHA-256 ${toHex(consortiumId)}) with other managers'`;
    throw new StartError(
      "the wrap of epoch key 0 does not open with this `hpke_key` and this genesis",
      `${check}; if it is the same, check \`hpke_key\`, or ${next}`,
    );
  }
  if (!equalBytes(epochCommitment(0, key), genesis.epochCommitment)) {
    throw new StartError("the key of epoch 0 is not the one that genesis commits to", next);
  }
  return key;
}
