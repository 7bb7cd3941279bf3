/**
 * The blocks of a height that the rules have been run on, or are being run on.
 *
 * The driver holds the body of every block that is `held` here: one that is awaited or was found
 * accurate may have to be committed, proposed again or appended. Their number is bounded, so its
 * memory is too. What falls out is judged anew when somebody names it again.
 */
import { toHex } from "../../base/bytes.js";
import type { BlockFacts } from "../../ledger/blocks/block-facts.js";
import { type BlockKey, type Judgement, nilBlock } from "../ring/events.js";

/** Blocks held at a time; one that must be kept may add to it. */
export const blocksHeldMax = 48;
/** Blocks that are remembered to be wrong. */
export const wrongBlocksMax = 256;

export class BlockJudgements {
  readonly #accurate = new Map<BlockKey, BlockFacts>();
  readonly #wrong = new Map<BlockKey, Judgement>();
  readonly #awaited = new Map<BlockKey, Uint8Array>();
  readonly #mustKeep: (block: BlockKey) => boolean;

  /** `mustKeep` names the few blocks that are never forgotten. */
  constructor(mustKeep: (block: BlockKey) => boolean) {
    this.#mustKeep = mustKeep;
  }

  of(block: BlockKey): Judgement | undefined {
    const facts = this.#accurate.get(block);
    return facts === undefined ? this.#wrong.get(block) : { accurate: true, facts };
  }

  factsOf(block: BlockKey): BlockFacts | undefined {
    return this.#accurate.get(block);
  }

  /** The facts of every block that is known to be accurate. */
  accurate(): Iterable<BlockFacts> {
    return this.#accurate.values();
  }

  /** Ids of the blocks whose judgement has not come yet. */
  awaited(): Iterable<Uint8Array> {
    return this.#awaited.values();
  }

  isHeld(block: BlockKey): boolean {
    return this.#accurate.has(block) || this.#awaited.has(block);
  }

  /** Notes that a block is to be judged; false when it is judged, or being judged, already. */
  expect(blockId: Uint8Array): boolean {
    const block = toHex(blockId);
    if (block === nilBlock || this.isHeld(block) || this.#wrong.has(block)) return false;
    this.#awaited.set(block, blockId);
    this.#dropBeyond(block);
    return true;
  }

  /** Keeps what the rules say of a block; false when it is known. */
  add(block: BlockKey, judgement: Judgement): boolean {
    this.#awaited.delete(block);
    if (this.#accurate.has(block) || this.#wrong.has(block)) return false;
    if (judgement.accurate) {
      this.#accurate.set(block, judgement.facts);
      this.#dropBeyond(block);
    } else {
      this.#wrong.set(block, judgement);
      const [oldest] = this.#wrong.keys();
      if (this.#wrong.size > wrongBlocksMax && oldest !== undefined) this.#wrong.delete(oldest);
    }
    return true;
  }

  #dropBeyond(newest: BlockKey): void {
    if (this.#accurate.size + this.#awaited.size <= blocksHeldMax) return;
    for (const blocks of [this.#awaited, this.#accurate]) {
      for (const block of blocks.keys()) {
        if (block === newest || this.#mustKeep(block)) continue;
        blocks.delete(block);
        return;
      }
    }
  }
}
