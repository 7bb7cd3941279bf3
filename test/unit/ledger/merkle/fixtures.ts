import { readFileSync } from "node:fs";
import { defined } from "../../../../src/base/assert.js";
import { fromHex, utf8 } from "../../../../src/base/bytes.js";
import {
  appendLeaves,
  emptyFrontier,
  type Frontier,
} from "../../../../src/ledger/merkle/frontier.js";
import { leafHash, type NodeRef, type StoredNode } from "../../../../src/ledger/merkle/nodes.js";

/** The published vectors; every string is hex. */
export type Rfc6962Vectors = {
  readonly leafInputs: readonly string[];
  readonly nodeHashes: readonly (readonly string[])[];
  readonly roots: readonly string[];
  readonly inclusionProofs: readonly {
    readonly leafIndex: number;
    readonly treeSize: number;
    readonly proof: readonly string[];
  }[];
  readonly consistencyProofs: readonly {
    readonly fromSize: number;
    readonly toSize: number;
    readonly proof: readonly string[];
  }[];
};

export const vectors: Rfc6962Vectors = JSON.parse(
  readFileSync("test/vectors/merkle/rfc6962.json", "utf8"),
);

export function bytes(hex: string): Uint8Array {
  return defined(fromHex(hex), "the vectors are hex");
}

export const vectorEntries: readonly Uint8Array[] = vectors.leafInputs.map(bytes);

/** Distinct entries for trees of any size. */
export function numberedEntries(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => utf8(`entry ${i}`));
}

/** A tree that keeps its complete nodes by name, as a store does. */
export class TestTree {
  frontier: Frontier = emptyFrontier;
  readonly nodes = new Map<string, Uint8Array>();

  append(entries: readonly Uint8Array[]): readonly StoredNode[] {
    const appended = appendLeaves(this.frontier, entries.map(leafHash));
    this.frontier = appended.frontier;
    for (const node of appended.nodes) {
      const name = nodeName(node);
      if (this.nodes.has(name)) throw new Error(`node ${name} was completed twice`);
      this.nodes.set(name, node.hash);
    }
    return appended.nodes;
  }

  readonly lookup = (ref: NodeRef): Uint8Array =>
    defined(this.nodes.get(nodeName(ref)), `node ${nodeName(ref)} is stored`);
}

export function treeOf(entries: readonly Uint8Array[]): TestTree {
  const tree = new TestTree();
  tree.append(entries);
  return tree;
}

function nodeName({ level, index }: NodeRef): string {
  return `${level}/${index}`;
}
