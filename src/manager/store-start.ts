/** Opens a manager's store, and looks at what a crash or a bad disk reaches first. */
import type { Logger } from "pino";
import type { ManagerConfig } from "../config/node-config.js";
import { unsealRecord } from "../crypto/seal.js";
import type { GenesisState } from "../ledger/genesis.js";
import type { Closers } from "../node/running-node.js";
import { damaged } from "../store/chain/stored-values.js";
import { ManagerStore } from "../store/manager-store.js";
import { describeLogDamage, findLogDamage } from "../store/rocksdb/rocksdb-log.js";
import { openRocksDb } from "../store/rocksdb/rocksdb-store.js";
import { claimStore } from "../store/store-identity.js";

/** What was written last has been on the disk for the shortest time, and is asked for most. */
const lastBlocks = 8;

export type StoreStart = {
  readonly genesis: GenesisState;
  readonly epochKey: Uint8Array;
  readonly log: Logger;
};

/**
 * Blocks that a damaged write-ahead log has lost come back from other managers, and the signer
 * remembers the votes. Submissions that waited for a block do not come back: their senders see it
 * when they ask, and send them again.
 *
 * @throws StoreError CORRUPT when one of the last blocks is not whole, with its records
 */
export async function openManagerStore(
  config: Pick<ManagerConfig, "id" | "role" | "dataDirectory">,
  { genesis, epochKey, log }: StoreStart,
  closers: Closers,
): Promise<ManagerStore> {
  const { dataDirectory } = config;
  const damage = await findLogDamage(dataDirectory);
  // Before RocksDB opens the log, which it may cut off for good before anything else fails.
  if (damage !== undefined) {
    const next =
      "check the disk and the memory; the blocks come from other managers, submissions that waited " +
      "here for a block do not";
    log.error({ reason: describeLogDamage(damage), next }, "the store has lost its end");
  }
  const kv = await openRocksDb(dataDirectory);
  closers.add(() => kv.close());
  const store = await ManagerStore.open(kv, genesis);
  await claimStore(kv, config);
  await checkLastBlocks(store, epochKey);
  return store;
}

/** @throws StoreError CORRUPT */
export async function checkLastBlocks(
  store: Pick<ManagerStore, "head" | "managerBlockAt">,
  epochKey: Uint8Array,
): Promise<void> {
  const { height: top } = store.head;
  for (let height = top; height > Math.max(0, top - lastBlocks); height--) {
    const block = await store.managerBlockAt(height, (hash, sealed) =>
      unsealRecord(epochKey, hash, sealed),
    );
    if (block === undefined) throw damaged(`block ${height}`, "is missing");
  }
}
