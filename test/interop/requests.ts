/** What a client's program is asked and answers: one JSON object a line, bytes in base64. */

export type Request =
  | { readonly do: "versions" }
  /** A reading and, an hour later, a load profile of three hours; then the same bytes once more. */
  | { readonly do: "submit"; readonly meter: string; readonly startS: number }
  /** A reading for each of `count` hours, in a submission of its own. */
  | {
      readonly do: "stream";
      readonly meter: string;
      readonly startS: number;
      readonly count: number;
    }
  | { readonly do: "receipt"; readonly hash: string }
  | { readonly do: "verify"; readonly receipt: string }
  /** Answers a `block` for each height, and `watched` in the end. */
  | { readonly do: "watch"; readonly from: number; readonly to: number }
  | { readonly do: "statement"; readonly node: string };

/** What a receipt proves; hashes in hex. */
export type Facts = {
  readonly recordHash: string;
  readonly height: number;
  readonly blockId: string;
  readonly timeMs: number;
  readonly position: number;
  readonly treeSize: number;
  readonly previousTreeSize: number;
  readonly signers: readonly string[];
};

export type Answer = {
  readonly error?: string;
  readonly reason?: string;
  readonly versions?: Readonly<Record<string, string>>;
  readonly hashes?: readonly string[];
  readonly receipt?: string;
  readonly facts?: Facts;
  /** The step at which the receipt was refused. */
  readonly refused?: string;
  readonly block?: number;
  readonly id?: string;
  readonly watched?: boolean;
  readonly height?: number;
  readonly credit?: number;
  readonly reward?: string;
  readonly changes?: number;
};
