/** What the chain of a storage node needs of its store: each write is one synchronous batch. */
import type { StorageNodeStore } from "../../store/storage-node-store.js";

export type ChainStore = Pick<
  StorageNodeStore,
  | "head"
  | "saveCandidate"
  | "loadCandidates"
  | "remembers"
  | "append"
  | "flush"
  | "sealed"
  | "certificatesAt"
>;
