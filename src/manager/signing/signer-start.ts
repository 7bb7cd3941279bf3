/** Opens a manager's local signer, or says why it must not sign with what is there. */
import { relative } from "node:path";
import type { ManagerKeys } from "../../config/key-files.js";
import type { ManagerConfig } from "../../config/node-config.js";
import type { GenesisState } from "../../ledger/genesis.js";
import type { Closers } from "../../node/running-node.js";
import type { ManagerStore } from "../../store/manager-store.js";
import { describeLogDamage, findLogDamage } from "../../store/rocksdb/rocksdb-log.js";
import { StoreError } from "../../store/store-error.js";
import { openLocalSigner } from "./local-signer.js";
import { StartError } from "./manager-keys.js";
import type { Signer } from "./signer.js";

export type SignerStart = {
  readonly keys: Pick<ManagerKeys, "signingSeed">;
  readonly genesis: Pick<GenesisState, "consortiumId">;
  readonly store: Pick<ManagerStore, "head" | "hasSpoken">;
  readonly newSignerAccepted: boolean;
};

export type SignerPlaces = Pick<ManagerConfig, "signerStateDirectory" | "dataDirectory">;

/**
 * @throws StartError when the state would be lost or restored with the store, when the marks are
 * missing or damaged although the manager is not new, or in use
 * @throws StoreError
 */
export async function openSigner(
  { signerStateDirectory: directory, dataDirectory }: SignerPlaces,
  { keys, genesis, store, newSignerAccepted }: SignerStart,
  closers: Closers,
): Promise<Signer> {
  if (!relative(dataDirectory, directory).startsWith("..")) {
    const message = `the signer state ${directory} lies in the data directory`;
    throw new StartError(message, "set `signer_state` in config.yaml to a place outside of it");
  }
  await refuseDamagedLog(directory);
  const { consortiumId } = genesis;
  const isNew = store.head.height === 0 && !store.hasSpoken;
  const whenMissing = isNew || newSignerAccepted ? "create" : "refuse";
  const key = { consortiumId, seed: keys.signingSeed };
  const opened = await openLocalSigner(directory, key, whenMissing).catch((error: unknown) => {
    if (!(error instanceof StoreError) || error.code !== "LOCKED") throw error;
    const next = "stop the other node: one signing key serves one process";
    throw new StartError(`the signer state ${directory} is in use`, next);
  });
  if (opened === undefined) {
    throw new StartError(
      `the record of what the signing key has signed is missing (${directory}), but the store is ` +
        `at height ${store.head.height}`,
      "bring the record back if it was moved, never an old copy of it; if it is lost, and no other " +
        "node has signed with this key since the data directory was written, start once with " +
        "--new-signer-state",
    );
  }
  closers.add(() => opened.close());
  return opened.signer;
}

/** RocksDB would go back to an older mark, and the key could sign against what it has signed. */
async function refuseDamagedLog(directory: string): Promise<void> {
  const damage = await findLogDamage(directory);
  if (damage === undefined) return;
  throw new StartError(
    `the record of what the signing key has signed is damaged (${directory}): ` +
      describeLogDamage(damage),
    "check the disk, put the directory aside, and go on as if the record was lost: start once with " +
      "--new-signer-state when no height is open that this manager may have voted on",
  );
}
