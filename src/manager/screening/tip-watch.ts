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
import type { RingStatus } from "../../consensus/ring/events.js";
import { type Policy, SuspensionMode } from "../../gen/bss/v1/genesis_pb.js";
import type { Members } from "../../ledger/members/members.js";
import type { ManagerContext } from "../manager-context.js";
import type { Abstention } from "../ring/abstention.js";

type Context = Pick<ManagerContext, "selfId" | "monotonicMs"> & {
  readonly policy: Pick<Policy, "suspension" | "suspendAfterMs">;
  readonly members: () => Pick<Members, "managers" | "quorum" | "activeManagerIds">;
};

export type TipWatchParts = {
  readonly ring: { readonly height: number; status(): Pick<RingStatus, "step"> };
  readonly abstention: Pick<Abstention, "atTip">;
};

/** Managers say something every second. */
const windowMaxMs = 3_000;
/** `tick` comes every 100 ms; this process has stood still when it did not for so long. */
const standstillMs = 1_000;

export class TipWatch {
  readonly #context: Context;
  readonly #parts: TipWatchParts;
  readonly #windowMs: number;
  readonly #heardMs = new Map<string, number>();
  #tickedMs: number | undefined;
  /** Since when enough of the others have been heard all the time. */
  #inTouchSinceMs: number | undefined;
  #open: { readonly height: number; readonly sinceMs: number } | undefined;

  constructor(context: Context, parts: TipWatchParts) {
    this.#context = context;
    this.#parts = parts;
    const { suspension, suspendAfterMs } = context.policy;
    const suspends = suspension === SuspensionMode.FLOOR;
    this.#windowMs = suspends ? Math.min(windowMaxMs, suspendAfterMs / 2) : windowMaxMs;
  }

  /** A head of another manager has come from itself. */
  hear(managerId: string): void {
    this.#heardMs.set(managerId, this.#context.monotonicMs());
  }

  /** To be called every 100 ms. */
  tick(): void {
    const nowMs = this.#context.monotonicMs();
    const stoodStill = this.#tickedMs === undefined || nowMs - this.#tickedMs > standstillMs;
    this.#tickedMs = nowMs;
    if (stoodStill || !this.#hearsEnough(nowMs)) this.#inTouchSinceMs = undefined;
    else this.#inTouchSinceMs ??= nowMs;
    const { ring } = this.#parts;
    const { height } = ring;
    if (ring.status().step === "idle") this.#open = undefined;
    else if (this.#open?.height !== height) this.#open = { height, sinceMs: nowMs };
  }

  get knowsAllFinal(): boolean {
    const { selfId, members, monotonicMs } = this.#context;
    const nowMs = monotonicMs();
    if (this.#tickedMs === undefined || nowMs - this.#tickedMs > standstillMs) return false;
    const sinceMs = this.#inTouchSinceMs;
    if (sinceMs === undefined || nowMs - sinceMs < this.#windowMs) return false;
    if (this.#open !== undefined && nowMs - this.#open.sinceMs >= this.#windowMs) return false;
    return members().activeManagerIds.includes(selfId) && this.#parts.abstention.atTip;
  }

  #hearsEnough(nowMs: number): boolean {
    const { selfId, members } = this.#context;
    const { managers, quorum } = members();
    const heard = managers.filter(({ managerId }) => {
      const atMs = this.#heardMs.get(managerId);
      return managerId !== selfId && atMs !== undefined && nowMs - atMs < this.#windowMs;
    });
    return heard.length >= quorum - 1;
  }
}
