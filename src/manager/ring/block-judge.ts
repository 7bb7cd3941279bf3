/**
 * Answers the ring's `validate` tasks: gets the candidate's body if it is not here, runs the rules,
 * and posts the judgement. One judgement of a block runs at a time; the ring asks again as long as
 * it has none.
 */
import { toHex } from "../../base/bytes.js";
import type { Task } from "../../consensus/ring/events.js";
import type { Ring } from "../../consensus/ring/ring.js";
import type { ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { PeerSender } from "../peers/peer-sender.js";
import type { BlockValidator } from "./block-validator.js";
import type { CandidateBlocks } from "./candidate-blocks.js";
import type { CompactBodies } from "./compact-bodies.js";
import type { RingInbox } from "./ring-inbox.js";

/** A relayed proposal may overtake its proposer's own, so the body is asked for later. */
const bodyGraceMs = 150;

type Context = Pick<ManagerContext, "time"> & {
  readonly observer: Pick<ManagerObserver, "blockRefused">;
};

export type BlockJudgeParts = {
  readonly validator: Pick<BlockValidator, "judge">;
  readonly candidates: CandidateBlocks;
  readonly ring: Pick<Ring, "height">;
  readonly inbox: Pick<RingInbox, "post">;
  readonly peers: Pick<PeerSender, "fetchBody">;
  readonly compact: Pick<CompactBodies, "make" | "isAwaited">;
};

export class BlockJudge {
  readonly #context: Context;
  readonly #parts: BlockJudgeParts;
  /** Blocks that are asked for, by id in hex. */
  #wanted = new Set<string>();
  readonly #running = new Set<string>();

  constructor(context: Context, parts: BlockJudgeParts) {
    this.#context = context;
    this.#parts = parts;
  }

  async judge(task: Task & { kind: "validate" }): Promise<void> {
    const { height, blockId: id } = task;
    const { ring } = this.#parts;
    if (height !== ring.height) return;
    if (await this.#runHeld(height, id)) return;
    if (height !== ring.height) return;
    this.#wanted.add(toHex(id));
    this.#fetchLater(task);
  }

  /** Not while its proposer has time to send what is missing of it. */
  #fetchLater(task: Task & { kind: "validate" }): void {
    const { ring, peers, compact } = this.#parts;
    const { height, blockId: id, holders } = task;
    const hex = toHex(id);
    this.#context.time.after(bodyGraceMs, () => {
      const missing = this.#wanted.has(hex) && !this.#running.has(hex);
      if (!missing || height !== ring.height) return;
      if (compact.isAwaited(hex)) this.#fetchLater(task);
      else peers.fetchBody(holders, height, id);
    });
  }

  /**
   * A body from a peer; looked at only if it is wanted. Anybody can send one that has the
   * block's header and is wrong otherwise, so the block is wanted until a right one has come.
   */
  async takeBody(block: ManagerBlock | undefined): Promise<void> {
    const id = blockId(block?.block?.header ?? new Uint8Array());
    if (block === undefined || !this.#wanted.has(toHex(id))) return;
    await this.#run(this.#parts.ring.height, id, block);
  }

  /** A compact block has come; looked at only if its body is wanted. */
  async takeCompact(id: Uint8Array): Promise<void> {
    if (this.#wanted.has(toHex(id))) await this.#runHeld(this.#parts.ring.height, id);
  }

  /** Nothing of the old height is asked for any more. */
  onAppended(): void {
    this.#wanted = new Set();
  }

  /** False when no body is here, or can be made of a compact block, that is the block's. */
  async #runHeld(height: number, id: Uint8Array): Promise<boolean> {
    const { candidates, compact } = this.#parts;
    for (;;) {
      if (this.#running.has(toHex(id))) return true;
      let block = candidates.get(id)?.block;
      if (block === undefined) {
        block = compact.make(height, id);
        if (block === undefined) return false;
        candidates.add(height, block);
      }
      // One that is not the block's has been discarded, and another may be.
      if (await this.#run(height, id, block)) return true;
    }
  }

  /** False when the body is not the block's. */
  async #run(height: number, id: Uint8Array, block: ManagerBlock): Promise<boolean> {
    const hex = toHex(id);
    if (this.#running.has(hex)) return true;
    this.#running.add(hex);
    const { validator, candidates, ring, inbox } = this.#parts;
    const { observer } = this.#context;
    try {
      const result = await validator.judge(id, block);
      if (height !== ring.height) return true;
      if (result === undefined) {
        candidates.discard(id);
        observer.blockRefused(hex, "BLOCK_MALFORMED", "the body is not the block's");
        return false;
      }
      this.#wanted.delete(hex);
      if (result.ok) candidates.add(height, block, result.value);
      else observer.blockRefused(hex, result.error.reason, result.error.message);
      const judgement = result.ok
        ? ({ accurate: true, facts: result.value.facts } as const)
        : ({ accurate: false, violation: result.error } as const);
      inbox.post({ kind: "judged", height, blockId: id, judgement });
      return true;
    } finally {
      this.#running.delete(hex);
    }
  }
}
