/**
 * What a storage node reads from files before it starts. Every refusal names the file and says what
 * to do.
 */
import type { Logger } from "pino";
import { equalBytes } from "../base/bytes.js";
import { systemTime } from "../base/time.js";
import { fileError } from "../config/config-error.js";
import { checkNodeDirectories } from "../config/file-access.js";
import { readGenesis } from "../config/genesis-file.js";
import { readSeedFile } from "../config/key-files.js";
import type { StorageNodeConfig } from "../config/node-config.js";
import { type Ed25519Signer, ed25519Signer } from "../crypto/ed25519.js";
import { blockId } from "../ledger/blocks/block-hashes.js";
import type { GenesisState } from "../ledger/genesis.js";
import type { Members } from "../ledger/members/members.js";
import { checkLimits } from "../node/limits-check.js";
import { NodeCertificate } from "../node/node-certificate.js";
import { readCertificate } from "../rpc/tls/certificate.js";
import type { StorageNodeStore } from "../store/storage-node-store.js";

export type NodeFiles = {
  readonly genesis: GenesisState;
  readonly signer: Ed25519Signer;
  readonly certificate: NodeCertificate;
};

/** @throws ConfigError */
export function readNodeFiles(config: StorageNodeConfig, log: Logger): NodeFiles {
  const { genesisFile, signingKeyFile } = config;
  const genesis = readGenesis(genesisFile);
  checkLimits(config, genesis.policy);
  checkNodeDirectories(config);
  const signer = ed25519Signer(readSeedFile(signingKeyFile));
  const { name: consortiumName } = genesis;
  const ports = { consortiumName, renewsItself: false, wallMs: systemTime.wallMs, log };
  return { genesis, signer, certificate: NodeCertificate.open(config, ports) };
}

/**
 * The chain on disk is the one that the node joined.
 *
 * @throws ConfigError when it has another block at the checkpoint
 */
export async function checkCheckpoint(
  { file, checkpoint }: StorageNodeConfig,
  store: StorageNodeStore,
  { consortiumId }: GenesisState,
): Promise<void> {
  if (checkpoint === undefined || checkpoint.height > store.head.height) return;
  const { height, blockId: expected } = checkpoint;
  // A damaged block says nothing about the chain; the repair fetches it again by its id.
  const stored = await store.bareBlock(height).catch(() => undefined);
  const id = height === 0 ? consortiumId : stored && blockId(stored.block.header);
  if (id === undefined || equalBytes(id, expected)) return;
  const what = `the chain in the data directory has another block at height ${height}`;
  const next = "ask the operator who invited this node, or start with an empty data directory";
  throw fileError(file, `CHECKPOINT_MISMATCH: ${what}`, next);
}

/** Whether a node of this id is on the chain as it is held here, and with whose signing key. */
export type Admission = "none" | "own" | "another's";

export function admissionOf(
  { id }: Pick<StorageNodeConfig, "id">,
  { publicKey }: Ed25519Signer,
  members: Members,
): Admission {
  const node = members.storageNode(id);
  if (node === undefined) return "none";
  return equalBytes(node.signingKey, publicKey) ? "own" : "another's";
}

/** @throws ConfigError when other keys are registered for the id: nobody would believe the node */
export function refuseOtherKeys(
  { id, signingKeyFile, tls }: Pick<StorageNodeConfig, "id" | "signingKeyFile" | "tls">,
  { signer, certificate }: Pick<NodeFiles, "signer" | "certificate">,
  members: Members,
): void {
  const node = members.storageNode(id);
  if (node === undefined) return;
  const next = "restore the node's own key, or correct id";
  if (!equalBytes(node.signingKey, signer.publicKey)) {
    throw fileError(signingKeyFile, `not the signing key that is registered for ${id}`, next);
  }
  const { spkiSha256 } = readCertificate(certificate.tls.certPem) ?? {};
  if (spkiSha256 !== undefined && equalBytes(node.tlsSpkiSha256, spkiSha256)) return;
  throw fileError(tls.key, `not the TLS key that is registered for ${id}`, next);
}
