/** What is on the disks in the end, opened by production stores. */
import type { ManagerStore } from "../../../src/store/manager-store.js";
import type { StorageNodeStore } from "../../../src/store/storage-node-store.js";

export type FinalDisks = {
  /** Of those that are not gone for good. */
  readonly managers: ReadonlyMap<string, ManagerStore>;
  readonly storageNodes: ReadonlyMap<string, StorageNodeStore>;
};
