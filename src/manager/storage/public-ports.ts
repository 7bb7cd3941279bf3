/** What the parts that watch storage nodes need alike. */
import type { DropReason } from "../../metrics/label-values.js";
import type { SharedPorts } from "../manager-options.js";
import type { UnmarkedKind } from "../signing/signer.js";

export type WatchPorts = Pick<
  SharedPorts,
  "selfId" | "consortiumId" | "policy" | "head" | "signatures" | "monotonicMs"
> & {
  /** Signs a 32-byte digest; undefined while the signer is unavailable. */
  readonly sign: (kind: UnmarkedKind, digest: Uint8Array) => Promise<Uint8Array | undefined>;
  /** There is something for the next block. */
  readonly wake: () => void;
  readonly onDropped: (from: string, reason: DropReason) => void;
};
