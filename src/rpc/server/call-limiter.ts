import type { RpcLimits } from "../bounds/limits.js";
import { RpcError } from "../rpc-error.js";
import { causerOf, describeIdentity, type Identity } from "../tls/identity.js";

/** Counts what each identity has open, over all of its connections. */
export class CallLimiter {
  readonly #limits: RpcLimits;
  readonly #open = new Map<string, number>();

  constructor(limits: RpcLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a slot for a call and returns the function that gives it back.
   *
   * @throws RpcError STREAMS_EXHAUSTED or TOO_MANY_IN_FLIGHT, with the time after which
   * to try again
   */
  acquire(identity: Identity, method: string, kind: "unary" | "stream"): () => void {
    const { streamsPerPeerMax, callsPerPeerMax, callsOfInvitedMax } = this.#limits;
    const caller = causerOf(identity);
    const callsMax = identity.role === "invited" ? callsOfInvitedMax : callsPerPeerMax;
    const key = kind === "stream" ? `${caller} ${method}` : caller;
    const max = kind === "stream" ? streamsPerPeerMax : callsMax;
    const open = this.#open.get(key) ?? 0;
    if (open >= max) {
      const reason = kind === "stream" ? "STREAMS_EXHAUSTED" : "TOO_MANY_IN_FLIGHT";
      const what = kind === "stream" ? `streams of ${method}` : "calls";
      const message = `${describeIdentity(identity)} has ${open} ${what} open, the limit`;
      throw new RpcError(reason, message, { metadata: { limit: String(max) } });
    }
    this.#open.set(key, open + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left === 0) this.#open.delete(key);
      else this.#open.set(key, left);
    };
  }
}
