/**
 * Opens a storage node's store, whatever state it is in:
 *
 *     the head cannot be read, or RocksDB cannot open the files
 *        ─▶ what can be read is copied into new files
 *     that does not help, or the copy has no head
 *        ─▶ everything is put aside and a new store begins at genesis; the blocks that are left in
 *           the old one are appended again, each checked like one that comes from a stranger
 *
 * The running node repairs all lesser damage: see repair/self-repair.ts.
 */
import type { StorageNodeConfig } from "../config/node-config.js";
import type { GenesisState } from "../ledger/genesis.js";
import { MendableStore } from "../store/damage/mendable-store.js";
import { damageOf } from "../store/damage/store-comparison.js";
import type { AttestationMark } from "../store/double-sign-protection/attestation-mark.js";
import { removeOldSnapshots } from "../store/rocksdb/disk-snapshot.js";
import { describeLogDamage, findLogDamage } from "../store/rocksdb/rocksdb-log.js";
import { openRocksDb, repairRocksDb } from "../store/rocksdb/rocksdb-store.js";
import { LeftBlocks, StorageNodeStore } from "../store/storage-node-store.js";
import { isDamage, type StoreError } from "../store/store-error.js";
import { claimStore } from "../store/store-identity.js";
import type { StorageChain } from "./chain/storage-chain.js";
import { isReparable, putAside } from "./damaged-files.js";

export type OpenedStore = {
  readonly kv: MendableStore;
  readonly store: StorageNodeStore;
  /** The blocks in a store that had to be put aside. */
  readonly left?: LeftBlocks;
  /** What was found and done, for people; empty when opening the store showed no damage. */
  readonly findings: readonly string[];
};

/**
 * Opens the store. Before anything is done that may lose attestations, then and later, the mark
 * takes note of it: once RocksDB has opened a damaged log, nothing shows any more that it was.
 *
 * `onDamage`: told when a read or write meets damage.
 *
 * @throws StoreError
 */
export async function openStore(
  { id, dataDirectory: directory }: Pick<StorageNodeConfig, "id" | "dataDirectory">,
  genesis: GenesisState,
  options: { readonly mark: AttestationMark; readonly onDamage: (error: StoreError) => void },
): Promise<OpenedStore> {
  const opened = await openAnyhow({ id, directory, genesis, ...options });
  try {
    if (isOlderThan(options.mark, opened.store)) await options.mark.forbidUpToMark();
    return opened;
  } catch (error) {
    await opened.kv.close();
    throw error;
  }
}

type Opening = {
  readonly id: string;
  readonly directory: string;
  readonly genesis: GenesisState;
  readonly mark: AttestationMark;
  readonly onDamage: (error: StoreError) => void;
};

async function openAnyhow(opening: Opening): Promise<OpenedStore> {
  const { directory, genesis, mark } = opening;
  await removeOldSnapshots(directory);
  const findings: string[] = [];
  const lost = await findLogDamage(directory);
  if (lost !== undefined) {
    await mark.forbidUpToMark();
    findings.push(describeLogDamage(lost));
  }
  try {
    return await attempt(opening, findings);
  } catch (error) {
    if (!isReparable(error)) throw error;
    findings.push(`what can be read of the files is kept: ${damageOf(error)}`);
  }
  await mark.forbidUpToMark();
  try {
    await repairRocksDb(directory);
    return await attempt(opening, findings);
  } catch (error) {
    if (!isReparable(error)) throw error;
    const aside = putAside(directory);
    findings.push(`the damaged store was put aside in ${aside}: ${damageOf(error)}`);
    const left = await openRocksDb(aside, { createIfMissing: false }).catch(() => undefined);
    const opened = await attempt(opening, findings);
    return left === undefined ? opened : { ...opened, left: new LeftBlocks(left, genesis) };
  }
}

async function attempt(
  { id, directory, genesis, mark, onDamage }: Opening,
  findings: readonly string[],
): Promise<OpenedStore> {
  const kv = await MendableStore.open({
    open: () => openRocksDb(directory),
    repair: async (damaged) => {
      await mark.forbidUpToMark();
      await repairRocksDb(directory, damaged);
    },
    onDamage,
  });
  try {
    const store = await StorageNodeStore.open(kv, genesis);
    await claimStore(kv, { role: "storage", id });
    return { kv, store, findings };
  } catch (error) {
    await kv.close();
    throw error;
  }
}

/** The store is new, was put back, or has lost what its node attested last. */
function isOlderThan({ place }: AttestationMark, store: StorageNodeStore): boolean {
  const { height } = store.head;
  if (height === 0) return true;
  if (place === undefined || place.height <= height) return false;
  return place.height > height + 1 || !store.remembers(place.round);
}

/** Appends the blocks that are left, while the chain also grows by those that managers send. */
export async function appendLeft(
  left: LeftBlocks,
  to: {
    readonly store: StorageNodeStore;
    readonly chain: Pick<StorageChain, "adopt" | "stopped">;
    /** Waits before it looks again whether managers have sent a block that is not left. */
    readonly pause: () => Promise<void>;
  },
): Promise<void> {
  const { store, chain, pause } = to;
  try {
    const top = await left.top();
    while (store.head.height < top && !chain.stopped) {
      const next = store.head.height + 1;
      const block = await left.storageBlockAt(next).catch(() => undefined);
      if (block !== undefined && (await chain.adopt(block))) continue;
      while (store.head.height < next && !chain.stopped) await pause();
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
  } finally {
    await left.close();
  }
}
