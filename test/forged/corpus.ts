/**
 * The corpus that every client's verifier is held to: what is valid and what it proves, and what is
 * forged. One JSON object a line, bytes as base64, integers above 2^53 as text; docs/sdks.md says
 * what the members mean.
 */
import { binaryText } from "../../src/base/bytes.js";
import type { ControlOperation } from "../../src/gen/bss/v1/genesis_pb.js";

export type GenesisItem = {
  readonly kind: "genesis";
  readonly name: string;
  /** The exact bytes of the file. */
  readonly file: string;
};

/** What a receipt proves. */
export type ReceiptFacts = {
  readonly recordHash: string;
  readonly height: number;
  readonly blockId: string;
  readonly timeMs: number;
  readonly position: number;
  readonly treeSize: number;
  readonly previousTreeSize: number;
  readonly signers: readonly string[];
};

/** Of a forged item: at which of these steps a verifier refuses it. */
export type Refused = { readonly refused: readonly string[] };

export type ReceiptItem = {
  readonly kind: "receipt";
  readonly name: string;
  readonly genesis: string;
  /** The encoded message. */
  readonly receipt: string;
  /** The record whose content is held against it. */
  readonly record?: string;
} & ({ readonly facts: ReceiptFacts } | Refused);

export type InclusionItem = {
  readonly kind: "inclusion";
  readonly name: string;
  readonly leafHash: string;
  readonly leafIndex: number;
  readonly treeSize: number;
  readonly root: string;
  readonly proof: readonly string[];
  readonly valid: boolean;
};

export type ConsistencyItem = {
  readonly kind: "consistency";
  readonly name: string;
  readonly fromSize: number;
  readonly toSize: number;
  readonly fromRoot: string;
  readonly toRoot: string;
  readonly proof: readonly string[];
  readonly valid: boolean;
};

/** Whether it verifies in the strict reading of Ed25519. */
export type SignatureItem = {
  readonly kind: "signature";
  readonly name: string;
  readonly key: string;
  readonly digest: string;
  readonly signature: string;
  readonly valid: boolean;
};

/** What a chain proves after its last block. */
export type ChainFacts = {
  readonly height: number;
  readonly blockId: string;
  readonly treeSize: number;
  readonly root: string;
  /** Those of all blocks, in order, as the names of their fields: "retire_storage_node". */
  readonly operations: readonly string[];
  /** Ascending by id. */
  readonly nodes: readonly {
    readonly id: string;
    readonly credit: number;
    readonly reward: string;
    readonly paid: string;
    /** The kinds of all changes of its standing, oldest first. */
    readonly changes: readonly string[];
  }[];
};

export type ChainItem = {
  readonly kind: "chain";
  readonly name: string;
  readonly genesis: string;
  /** So many blocks of the first chain of the file stand in front; else it begins at block 1. */
  readonly after?: number;
  /** Encoded BlockViews. */
  readonly blocks: readonly string[];
} & (
  | { readonly facts: ChainFacts }
  /** The last block is refused; the ones before it hold. */
  | Refused
);

/** Shows that a client makes the mutants that the others make. */
export type MutationsItem = {
  readonly kind: "mutations";
  readonly name: string;
  readonly of: "receipt" | "chain";
  readonly count: number;
  /** Hex SHA-256 over the first `count` mutants: of each its length as u64, and then itself. */
  readonly sha256: string;
};

export type CorpusItem =
  | GenesisItem
  | SignatureItem
  | ReceiptItem
  | InclusionItem
  | ConsistencyItem
  | ChainItem
  | MutationsItem;

export const corpusFiles = [
  "genesis",
  "signatures",
  "receipts",
  "proofs",
  "chains",
  "mutations",
] as const;

export type CorpusFile = (typeof corpusFiles)[number];

/** The items of a file. */
export function itemsOf(text: string): readonly CorpusItem[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as CorpusItem);
}

export function corpusText(items: readonly CorpusItem[]): string {
  return items.map((item) => `${JSON.stringify(item)}\n`).join("");
}

export function base64(bytes: Uint8Array): string {
  return btoa(binaryText(bytes));
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** "retire_storage_node". */
export function nameOf({ operation }: ControlOperation): string {
  return (operation.case ?? "").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
