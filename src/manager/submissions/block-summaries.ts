/**
 * The blocks that answers to submissions name. Whoever waits for a record is answered right after
 * its block was appended, so what is told of the latest blocks is kept: no answer waits for the
 * store then.
 */
import {
  type BlockSummary,
  blockSummary,
  confirmationsOf,
  storedBlock,
} from "../../query/block-views.js";
import type { AppendedBlock, ManagerStore } from "../../store/manager-store.js";

/** Each has a header and a signature of every manager at most. */
const keptMax = 32;

export class BlockSummaries {
  readonly #store: Pick<ManagerStore, "head" | "finalBlock">;
  readonly #kept = new Map<number, BlockSummary>();

  constructor(store: Pick<ManagerStore, "head" | "finalBlock">) {
    this.#store = store;
  }

  onAppended({ block: { block }, executed, certificates }: AppendedBlock): void {
    const { height } = executed.facts;
    if (block === undefined) return;
    this.#kept.set(height, blockSummary({ block, certificates }, { height, headHeight: height }));
    this.#kept.delete(height - keptMax);
  }

  /** Of a height from 1 to the head. */
  async of(height: number): Promise<BlockSummary> {
    const headHeight = this.#store.head.height;
    const kept = this.#kept.get(height);
    if (kept !== undefined) return { ...kept, confirmations: confirmationsOf(height, headHeight) };
    const block = await storedBlock(this.#store, height, { leaves: false });
    return blockSummary(block, { height, headHeight });
  }
}
