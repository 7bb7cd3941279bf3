/** What goes into the sync plan, and what the plan wants done. */
import type { BlameReason } from "./sync-peers.js";

export type SyncEvent<B> =
  /** A peer says, or something that it sent implies, that a block of this height is final. */
  | {
      readonly kind: "claim";
      readonly peer: string;
      readonly height: number;
      /** It does not come by itself. */
      readonly urgent?: boolean;
      /** The peer's own word for its head, which takes the place of the last one. */
      readonly exact?: boolean;
    }
  /** The link is gone, or a request could not be sent. */
  | { readonly kind: "gone"; readonly peer: string }
  | SyncAnswer<B>
  /** The batch that was to be appended is through, up to a block that does not hold. */
  | { readonly kind: "appended"; readonly failure?: string }
  /** The chain has grown by a block, from wherever it came. */
  | { readonly kind: "grown" }
  | { readonly kind: "tick" };

export type SyncAnswer<B> = {
  readonly kind: "answer";
  readonly peer: string;
  /** Up to the first one that cannot be read. */
  readonly blocks: readonly B[];
  /** The sender's height, as it says. */
  readonly headHeight: number;
  /** What is wrong with the block after the last one here. */
  readonly malformed?: string;
};

export type SyncEffect<B> =
  | {
      readonly kind: "ask";
      readonly peer: string;
      readonly fromHeight: number;
      readonly limit: number;
    }
  /** The blocks after the head, in order; `appended` answers it. */
  | { readonly kind: "append"; readonly peer: string; readonly blocks: readonly B[] }
  | {
      readonly kind: "blame";
      readonly peer: string;
      readonly reason: BlameReason;
      readonly detail: string;
      readonly forMs: number;
    }
  /** An answer that nobody waits for. */
  | { readonly kind: "drop"; readonly peer: string };
