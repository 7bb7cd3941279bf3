import { Holdings } from "../../base/holdings.js";
import type { RpcLimits } from "../bounds/limits.js";
import type { Reason } from "../reasons.js";
import { RpcError } from "../rpc-error.js";
import { causerOf, describeIdentity, type Identity } from "../tls/identity.js";

/** Counts what each identity has open, over all of its connections. */
export class CallLimiter {
  readonly #streams: Counted;
  readonly #calls: Counted;
  readonly #callsOfInvited: Counted;

  constructor(limits: RpcLimits) {
    const { streamsPerPeerMax, callsPerPeerMax, callsOfInvitedMax } = limits;
    this.#streams = counted(streamsPerPeerMax, "STREAMS_EXHAUSTED");
    this.#calls = counted(callsPerPeerMax, "TOO_MANY_IN_FLIGHT");
    this.#callsOfInvited = counted(callsOfInvitedMax, "TOO_MANY_IN_FLIGHT");
  }

  /**
   * Takes a slot for a call and returns the function that gives it back.
   *
   * @throws RpcError STREAMS_EXHAUSTED or TOO_MANY_IN_FLIGHT, with the time after which
   * to try again
   */
  acquire(identity: Identity, method: string, kind: "unary" | "stream"): () => void {
    const caller = causerOf(identity);
    const calls = identity.role === "invited" ? this.#callsOfInvited : this.#calls;
    const { open, max, reason } = kind === "stream" ? this.#streams : calls;
    const key = kind === "stream" ? `${caller} ${method}` : caller;
    if (open.take(key, 1) !== undefined) {
      const what = kind === "stream" ? `streams of ${method}` : "calls";
      const message = `${describeIdentity(identity)} has ${open.held(key)} ${what} open, the limit`;
      throw new RpcError(reason, message, { metadata: { limit: String(max) } });
    }
    let released = false;
    return () => {
      if (released) return;
      released = true;
      open.giveBack(key, 1);
    };
  }
}

type Counted = { readonly open: Holdings; readonly max: number; readonly reason: Reason };

function counted(max: number, reason: Reason): Counted {
  const open = new Holdings({ perCauserMax: max, totalMax: Number.POSITIVE_INFINITY });
  return { open, max, reason };
}
