/**
 * Answers the ring's `validate` tasks: gets the candidate's body if it is not here, runs the rules,
 * and posts the judgement. One judgement of a block runs at a time; the ring asks again as long as
 * it has none.
 */
import { toHex } from "../base/bytes.js";
import type { RingEvent, Task } from "../consensus/events.js";
import type { ManagerBlock } from "../gen/bss/v1/block_pb.js";
import { blockId } from "../ledger/blocks.js";
import type { BlockValidator } from "./block-validator.js";
import type { CandidateBlocks } from "./candidate-blocks.js";

export type BlockJudgePorts = {
  readonly validator: BlockValidator;
  readonly candidates: CandidateBlocks;
  /** The height that is being voted on. */
  readonly height: () => number;
  readonly fetchBody: (holders: readonly string[], height: number, blockId: Uint8Array) => void;
  readonly post: (event: RingEvent) => void;
  /** A peer gave a body that is not the block's, or a block breaks a rule. */
  readonly onRefused: (blockHex: string, reason: string, message: string) => void;
};

export class BlockJudge {
  readonly #ports: BlockJudgePorts;
  /** Blocks that are asked for, by id in hex. */
  #wanted = new Set<string>();
  readonly #running = new Set<string>();

  constructor(ports: BlockJudgePorts) {
    this.#ports = ports;
  }

  async judge({ height, blockId: id, holders }: Task & { kind: "validate" }): Promise<void> {
    if (height !== this.#ports.height()) return;
    const block = this.#ports.candidates.get(id);
    if (block !== undefined) return this.#run(height, id, block.block);
    this.#wanted.add(toHex(id));
    this.#ports.fetchBody(holders, height, id);
  }

  /** A body from a peer; looked at only if it was asked for. */
  async takeBody(block: ManagerBlock | undefined): Promise<void> {
    const id = blockId(block?.block?.header ?? new Uint8Array());
    if (block === undefined || !this.#wanted.delete(toHex(id))) return;
    await this.#run(this.#ports.height(), id, block);
  }

  /** Nothing of the old height is asked for any more. */
  onHeightChanged(): void {
    this.#wanted = new Set();
  }

  async #run(height: number, id: Uint8Array, block: ManagerBlock): Promise<void> {
    const hex = toHex(id);
    if (this.#running.has(hex)) return;
    this.#running.add(hex);
    try {
      const result = await this.#ports.validator.judge(id, block);
      if (height !== this.#ports.height()) return;
      if (result === undefined) {
        this.#ports.candidates.discard(id);
        this.#ports.onRefused(hex, "BLOCK_MALFORMED", "the body is not the block's");
        return;
      }
      if (result.ok) this.#ports.candidates.add(height, block, result.value);
      else this.#ports.onRefused(hex, result.error.reason, result.error.message);
      const judgement = result.ok
        ? ({ accurate: true, facts: result.value.facts } as const)
        : ({ accurate: false, violation: result.error } as const);
      this.#ports.post({ kind: "judged", height, blockId: id, judgement });
    } finally {
      this.#running.delete(hex);
    }
  }
}
