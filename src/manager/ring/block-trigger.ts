/**
 * Wakes an idle ring when there is something that a block can hold. It exists before the parts that
 * collect such things; `BlockCalls`, which asks these parts, is connected once they are there.
 */
import type { Ring } from "../../consensus/ring/ring.js";
import type { RingInbox } from "./ring-inbox.js";

export class BlockTrigger {
  readonly #ring: Pick<Ring, "status">;
  readonly #inbox: Pick<RingInbox, "post">;
  #calls: { readonly due: boolean } = { due: false };

  constructor(ring: Pick<Ring, "status">, inbox: Pick<RingInbox, "post">) {
    this.#ring = ring;
    this.#inbox = inbox;
  }

  connect(calls: { readonly due: boolean }): void {
    this.#calls = calls;
  }

  /** Time has passed: the heartbeat may be due, or something may have become ready. */
  tick(): void {
    this.check();
  }

  /** Something may be ready for the next block. */
  check(): void {
    if (this.#ring.status().step !== "idle") return;
    if (this.#calls.due) this.#inbox.post({ kind: "wake" });
  }
}
