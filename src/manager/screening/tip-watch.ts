/**
 * Whether this manager surely knows all that is final: each block that any manager has decided is
 * on its ledger, or is one that it has accepted itself and votes on. Only then may it say of
 * something that the ledger lacks it.
 *
 * A block needs the ACCEPT of every active manager. So what is final without this one's ACCEPT
 * suspends it, and for that the others must have found it missing for half of `suspend_after` at
 * least (R4.8.1). Whoever has just heard of enough of them, on streams that keep their order, has
 * heard of such a height too: it would have been open here for as long. Hence: active, others
 * heard, and no height open for long. Who was cut off and hears again is not sure at once, as what
 * arrives then is old.
 */
import type { Members } from "../../ledger/members/members.js";

export type TipWatchPorts = {
  readonly selfId: string;
  readonly members: () => Pick<Members, "managers" | "quorum" | "activeManagerIds">;
  readonly monotonicMs: () => number;
  /** False while others are known to be further, and before they were heard. */
  readonly atTip: () => boolean;
  /** The height that is open, while it is being voted on. */
  readonly votedHeight: () => number | undefined;
  /** Half of the policy's `suspend_after`, if managers are suspended at all. */
  readonly halfSuspendAfterMs: number | undefined;
};

/** Managers say something every second. */
const windowMaxMs = 3_000;
/** `tick` comes every 100 ms; this process has stood still when it did not for so long. */
const standstillMs = 1_000;

export class TipWatch {
  readonly #ports: TipWatchPorts;
  readonly #windowMs: number;
  readonly #heardMs = new Map<string, number>();
  #tickedMs: number | undefined;
  /** Since when enough of the others have been heard all the time. */
  #inTouchSinceMs: number | undefined;
  #open: { readonly height: number; readonly sinceMs: number } | undefined;

  constructor(ports: TipWatchPorts) {
    this.#ports = ports;
    this.#windowMs = Math.min(windowMaxMs, ports.halfSuspendAfterMs ?? windowMaxMs);
  }

  /** A head of another manager has come from itself. */
  hear(managerId: string): void {
    this.#heardMs.set(managerId, this.#ports.monotonicMs());
  }

  /** To be called every 100 ms. */
  tick(): void {
    const nowMs = this.#ports.monotonicMs();
    const stoodStill = this.#tickedMs === undefined || nowMs - this.#tickedMs > standstillMs;
    this.#tickedMs = nowMs;
    if (stoodStill || !this.#hearsEnough(nowMs)) this.#inTouchSinceMs = undefined;
    else this.#inTouchSinceMs ??= nowMs;
    const height = this.#ports.votedHeight();
    if (height === undefined) this.#open = undefined;
    else if (this.#open?.height !== height) this.#open = { height, sinceMs: nowMs };
  }

  get knowsAllFinal(): boolean {
    const { selfId, members, monotonicMs, atTip } = this.#ports;
    const nowMs = monotonicMs();
    if (this.#tickedMs === undefined || nowMs - this.#tickedMs > standstillMs) return false;
    const sinceMs = this.#inTouchSinceMs;
    if (sinceMs === undefined || nowMs - sinceMs < this.#windowMs) return false;
    if (this.#open !== undefined && nowMs - this.#open.sinceMs >= this.#windowMs) return false;
    return members().activeManagerIds.includes(selfId) && atTip();
  }

  #hearsEnough(nowMs: number): boolean {
    const { selfId, members } = this.#ports;
    const { managers, quorum } = members();
    const heard = managers.filter(({ managerId }) => {
      const atMs = this.#heardMs.get(managerId);
      return managerId !== selfId && atMs !== undefined && nowMs - atMs < this.#windowMs;
    });
    return heard.length >= quorum - 1;
  }
}
