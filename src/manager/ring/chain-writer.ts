/**
 * The chain's growth: blocks that the ring decided, and final ones that a peer shipped. Both go to
 * the disk within a turn of the driver; then the followers hear of them.
 */

import { toHex } from "../../base/bytes.js";
import { timed } from "../../base/time.js";
import type { Ring } from "../../consensus/ring/ring.js";
import type { BlockCertificates, ManagerBlock } from "../../gen/bss/v1/block_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import type { AppendedBlock } from "../../store/manager-store.js";
import { RingHalted } from "../fail-stop.js";
import type { ManagerContext } from "../manager-context.js";
import type { ManagerObserver } from "../manager-observer.js";
import type { BlockValidator } from "./block-validator.js";
import type { RingInbox } from "./ring-inbox.js";
import type { ShippedManagerBlock } from "./shipped-blocks.js";

/** A block that is appended here. */
export type NewBlock = AppendedBlock & {
  /** How long the round took in which it was decided; undefined for one that a peer shipped. */
  readonly roundMs?: number;
};

/** What a part does when a block has been appended. */
export interface BlockFollower {
  /**
   * The block is on disk, and the ring at the next height. `more`: others follow at once, so that
   * nobody needs to hear of this one, and the disk may not have flushed it. The turn of the driver
   * goes on when a promise is settled.
   */
  onAppended(appended: NewBlock, more: boolean): void | Promise<void>;
}

type Context = Pick<ManagerContext, "store" | "time"> & {
  readonly observer: Pick<ManagerObserver, "appended" | "wrote">;
};

export type ChainWriterParts = {
  readonly ring: Pick<Ring, "advance">;
  readonly inbox: Pick<RingInbox, "exclusive">;
  readonly validator: BlockValidator;
};

export class ChainWriter {
  readonly #context: Context;
  readonly #parts: ChainWriterParts;
  #followers: readonly BlockFollower[] = [];
  #appendedAtMs: number;

  constructor(context: Context, parts: ChainWriterParts) {
    this.#context = context;
    this.#parts = parts;
    this.#appendedAtMs = context.time.monotonicMs();
  }

  /** The followers hear of every block, in this order. */
  connect(followers: readonly BlockFollower[]): void {
    this.#followers = followers;
  }

  /** Time since the last block, or since the start. */
  get idleMs(): number {
    return this.#context.time.monotonicMs() - this.#appendedAtMs;
  }

  /** Only within a turn of the driver. */
  async append(appended: NewBlock, more = false): Promise<void> {
    const { store, observer, time } = this.#context;
    const { height } = appended.executed.facts;
    await timed(time, observer, () => store.append(appended, more ? "buffered" : "sync"));
    this.#parts.ring.advance({ height: height + 1, members: store.head.members });
    observer.appended(appended.executed, this.idleMs);
    this.#appendedAtMs = time.monotonicMs();
    await this.#tellFollowers(appended, more);
  }

  async #tellFollowers(appended: NewBlock, more: boolean): Promise<void> {
    for (const follower of this.#followers) {
      const done = follower.onAppended(appended, more);
      if (done !== undefined) await done;
    }
  }

  /**
   * Final blocks from a peer, in their order; the reason when one does not hold, after which the
   * rest is not looked at. Those that are here already are passed over. They reach the device
   * together: a crash of the machine may lose the last of them, never one from their middle, and
   * whatever this manager signs later is flushed after them.
   */
  async appendShipped(blocks: readonly ShippedManagerBlock[]): Promise<string | undefined> {
    for (const [i, { block, certificates }] of blocks.entries()) {
      const more = i < blocks.length - 1;
      const reason = await this.#appendOne(block, certificates, more);
      if (reason === undefined) continue;
      if (i > 0) await this.#parts.inbox.exclusive(() => this.#context.store.flush());
      return reason;
    }
    return undefined;
  }

  #appendOne(
    block: ManagerBlock,
    certificates: BlockCertificates,
    more: boolean,
  ): Promise<string | undefined> {
    const { inbox, validator } = this.#parts;
    return inbox.exclusive(async () => {
      const header = block.block?.header ?? new Uint8Array();
      const parsed = parseHeader(header);
      // Decided here while it was on its way: nobody is to blame.
      if (parsed.ok && parsed.value.height <= this.#context.store.head.height) return undefined;
      const id = blockId(header);
      const judged = await validator.judge(id, block);
      if (judged === undefined) return "a block that does not hang together";
      if (!judged.ok) {
        const text = `${judged.error.reason}: ${judged.error.message}`;
        if (!(await validator.isCommitted(id, certificates))) return text;
        const halt = `Q managers committed ${toHex(id)}, which is wrong here: ${text}`;
        throw new RingHalted(halt, certificates.commit);
      }
      const refused = await validator.checkFinal(judged.value, certificates);
      if (refused !== undefined) return `${refused.reason}: ${refused.message}`;
      await this.append({ block, executed: judged.value, certificates }, more);
      return undefined;
    });
  }
}
