/**
 * Why a storage node's credit and reward are what they are: recomputed from the public chain, from
 * genesis on; see chain.ts.
 */
import type { BlockView } from "../../gen/bss/v1/query_pb.js";
import type { GenesisState } from "../../ledger/genesis.js";
import type { StorageNode } from "../../ledger/members/member-lists.js";
import type { StandingChange } from "../../ledger/storage-nodes/credit.js";
import { Chain } from "./chain.js";

/** A change, and when the block was made that makes it: Unix ms. */
export type StatementEntry = StandingChange & { readonly timestampMs: number };

export class Statement {
  readonly nodeId: string;
  readonly #chain: Chain;
  readonly #entries: StatementEntry[] = [];

  constructor(nodeId: string, genesis: GenesisState) {
    this.nodeId = nodeId;
    this.#chain = new Chain(genesis);
  }

  /** Up to which block the chain has been followed; 0 for genesis. */
  get height(): number {
    return this.#chain.height;
  }

  /** Oldest first. */
  get entries(): readonly StatementEntry[] {
    return this.#entries;
  }

  /** How the node stands after the last block; undefined if nobody has admitted it. */
  get node(): StorageNode | undefined {
    return this.#chain.members.storageNode(this.nodeId);
  }

  /**
   * Takes in the next block. Throws `UntrueAnswer` for one that does not follow, or is not final.
   */
  async add(view: BlockView): Promise<void> {
    const { timestampMs, changes } = await this.#chain.add(view);
    for (const change of changes) {
      if (change.nodeId === this.nodeId) this.#entries.push({ ...change, timestampMs });
    }
  }
}
