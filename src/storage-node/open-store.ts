/**
 * Opens a storage node's store, whatever state it is in:
 *
 *     a head that cannot be read ─▶ what can be read is copied into new files
 *     files that RocksDB cannot open, or a copy without a head
 *        ─▶ all of it is put aside, a new store begins at genesis, and the blocks that are left are
 *           appended again, each as carefully as one that comes from a stranger
 *
 * Anything less is left to the repair of the running node.
 */
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { renewedCertificateName, type StorageNodeConfig } from "../config/node-config.js";
import type { CertifiedStorageBlock } from "../gen/bss/v1/block_pb.js";
import type { GenesisState } from "../ledger/genesis.js";
import { MendableStore } from "../store/damage/mendable-store.js";
import { damageOf } from "../store/damage/store-comparison.js";
import { AttestationMark } from "../store/double-sign-protection/attestation-mark.js";
import type { KeyValueStore } from "../store/key-value-store.js";
import { removeOldSnapshots } from "../store/rocksdb/disk-snapshot.js";
import { describeLogDamage, findLogDamage } from "../store/rocksdb/rocksdb-log.js";
import { openRocksDb, repairRocksDb } from "../store/rocksdb/rocksdb-store.js";
import { LeftBlocks, StorageNodeStore } from "../store/storage-node-store.js";
import { isDamage, StoreError } from "../store/store-error.js";
import { claimStore } from "../store/store-identity.js";

export type OpenedStore = {
  readonly kv: MendableStore;
  readonly store: StorageNodeStore;
  /** What is left of a store that had to be put aside. */
  readonly left?: LeftBlocks;
  /** What had to be done, for people; empty when the store was whole as far as opening it shows. */
  readonly findings: readonly string[];
};

/** `onDamage`: told when a read or write meets damage. @throws StoreError */
export async function openStore(
  { id, dataDirectory: directory }: Pick<StorageNodeConfig, "id" | "dataDirectory">,
  genesis: GenesisState,
  onDamage: (error: StoreError) => void,
): Promise<OpenedStore> {
  await removeOldSnapshots(directory);
  const lost = await findLogDamage(directory);
  const findings = lost === undefined ? [] : [describeLogDamage(lost)];
  const openFiles = () =>
    MendableStore.open({
      open: () => openRocksDb(directory),
      repair: (damaged) => repairRocksDb(directory, damaged),
      onDamage,
    });
  try {
    return await attempt(openFiles, { id, genesis, findings });
  } catch (error) {
    if (!isReparable(error)) throw error;
    findings.push(`what can be read of the files is kept: ${damageOf(error)}`);
  }
  try {
    await repairRocksDb(directory);
    return await attempt(openFiles, { id, genesis, findings });
  } catch (error) {
    if (!isReparable(error)) throw error;
    const aside = putAside(directory);
    findings.push(`the damaged store was put aside in ${aside}: ${damageOf(error)}`);
    const left = await openRocksDb(aside, { createIfMissing: false }).catch(() => undefined);
    const opened = await attempt(openFiles, { id, genesis, findings });
    return left === undefined ? opened : { ...opened, left: new LeftBlocks(left, genesis) };
  }
}

async function attempt(
  openFiles: () => Promise<MendableStore>,
  opening: {
    readonly id: string;
    readonly genesis: GenesisState;
    readonly findings: readonly string[];
  },
): Promise<OpenedStore> {
  const { id, genesis, findings } = opening;
  const kv = await openFiles();
  try {
    const store = await StorageNodeStore.open(kv, genesis);
    await claimStore(kv, { role: "storage", id });
    return { kv, store, findings };
  } catch (error) {
    await kv.close();
    throw error;
  }
}

/** RocksDB says that a file is missing as an error of the system. */
function isReparable(error: unknown): error is StoreError {
  if (isDamage(error)) return true;
  if (!(error instanceof StoreError) || error.code !== "IO") return false;
  return /No such file or directory|file is too short|truncated/.test(error.message);
}

/** Into a directory beside RocksDB's files, so that it works where the data is mounted. */
function putAside(directory: string): string {
  let number = 1;
  while (existsSync(join(directory, `damaged-${number}`))) number += 1;
  const aside = join(directory, `damaged-${number}`);
  mkdirSync(aside, { mode: 0o700 });
  for (const name of readdirSync(directory)) {
    // The certificate lies beside RocksDB's files; it is not what is damaged.
    if (name.startsWith("damaged-") || name === renewedCertificateName) continue;
    renameSync(join(directory, name), join(aside, name));
  }
  return aside;
}

export type OpenedMark = {
  readonly mark: AttestationMark;
  readonly kv: KeyValueStore;
  /** What its log has lost, for people. */
  readonly lost?: string;
};

/**
 * What the node's key has attested; an empty one where it cannot be read any more, or where the log
 * has lost its end and an older mark is all that RocksDB goes back to.
 *
 * @throws StoreError MISMATCH for another key's, LOCKED when another process runs with this key
 */
export async function openMark(directory: string, signingKey: Uint8Array): Promise<OpenedMark> {
  const damage = await findLogDamage(directory);
  const open = async (): Promise<OpenedMark> => {
    const kv = await openRocksDb(directory, { values: "few" });
    try {
      const mark = await AttestationMark.open(kv, signingKey);
      if (damage === undefined) return { kv, mark };
      await mark.forget();
      return { kv, mark, lost: describeLogDamage(damage) };
    } catch (error) {
      await kv.close();
      throw error;
    }
  };
  try {
    return await open();
  } catch (error) {
    if (!isReparable(error)) throw error;
  }
  try {
    await repairRocksDb(directory);
    return await open();
  } catch (error) {
    if (!isReparable(error)) throw error;
  }
  putAside(directory);
  return open();
}

export type LeftBlocksPorts = {
  readonly height: () => number;
  /** False when the block does not hold. */
  readonly append: (block: CertifiedStorageBlock) => Promise<boolean>;
  readonly isClosed: () => boolean;
  readonly pause: () => Promise<void>;
};

/** Appends what is left, wherever the chain has come to; managers fill in what is not. */
export async function appendLeft(left: LeftBlocks, ports: LeftBlocksPorts): Promise<void> {
  const { height, append, isClosed, pause } = ports;
  try {
    const top = await left.top();
    while (height() < top && !isClosed()) {
      const next = height() + 1;
      const block = await left.storageBlockAt(next).catch(() => undefined);
      if (block !== undefined && (await append(block))) continue;
      while (height() < next && !isClosed()) await pause();
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
  } finally {
    await left.close();
  }
}
