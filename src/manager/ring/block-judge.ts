/**
 * Answers the ring's `validate` tasks: gets the candidate's body if it is not here, runs the rules,
 * and posts the judgement. One judgement of a block runs at a time; the ring asks again as long as
 * it has none.
 */
import { toHex } from "../../base/bytes.js";
import type { RingEvent, Task } from "../../consensus/ring/events.js";
import type { ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import type { BlockValidator } from "./block-validator.js";
import type { CandidateBlocks } from "./candidate-blocks.js";

export type BlockJudgePorts = {
  readonly validator: BlockValidator;
  readonly candidates: CandidateBlocks;
  /** The height that is being voted on. */
  readonly height: () => number;
  readonly fetchBody: (holders: readonly string[], height: number, blockId: Uint8Array) => void;
  /** Runs `work` a moment later: a relayed proposal is small and overtakes the block itself. */
  readonly defer: (work: () => void) => void;
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
    const held = this.#ports.candidates.get(id);
    if (held !== undefined && (await this.#run(height, id, held.block))) return;
    if (height !== this.#ports.height()) return;
    const hex = toHex(id);
    this.#wanted.add(hex);
    this.#ports.defer(() => {
      const missing = this.#wanted.has(hex) && !this.#running.has(hex);
      if (missing && height === this.#ports.height()) this.#ports.fetchBody(holders, height, id);
    });
  }

  /**
   * A body from a peer; looked at only if it is wanted. Anybody can send one that has the
   * block's header and is wrong otherwise, so the block is wanted until a right one has come.
   */
  async takeBody(block: ManagerBlock | undefined): Promise<void> {
    const id = blockId(block?.block?.header ?? new Uint8Array());
    if (block === undefined || !this.#wanted.has(toHex(id))) return;
    await this.#run(this.#ports.height(), id, block);
  }

  /** Nothing of the old height is asked for any more. */
  onHeightChanged(): void {
    this.#wanted = new Set();
  }

  /** False when the body is not the block's. */
  async #run(height: number, id: Uint8Array, block: ManagerBlock): Promise<boolean> {
    const hex = toHex(id);
    if (this.#running.has(hex)) return true;
    this.#running.add(hex);
    try {
      const result = await this.#ports.validator.judge(id, block);
      if (height !== this.#ports.height()) return true;
      if (result === undefined) {
        this.#ports.candidates.discard(id);
        this.#ports.onRefused(hex, "BLOCK_MALFORMED", "the body is not the block's");
        return false;
      }
      this.#wanted.delete(hex);
      if (result.ok) this.#ports.candidates.add(height, block, result.value);
      else this.#ports.onRefused(hex, result.error.reason, result.error.message);
      const judgement = result.ok
        ? ({ accurate: true, facts: result.value.facts } as const)
        : ({ accurate: false, violation: result.error } as const);
      this.#ports.post({ kind: "judged", height, blockId: id, judgement });
      return true;
    } finally {
      this.#running.delete(hex);
    }
  }
}
