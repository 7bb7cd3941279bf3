/**
 * How often each caller may call, and how many calls and streams it may have open. A stream counts
 * as one call here; what its messages cost is counted where they are handled.
 */
import { Holdings } from "../../base/holdings.js";
import { type RateLimit, RateLimits } from "../../base/rate-limits.js";
import type { Reason } from "../reasons.js";
import { RpcError } from "../rpc-error.js";
import { causerOf, describeIdentity, type Identity } from "../tls/tls-identity.js";
import { networkOf } from "./server-connections.js";
import type { CallClass, RpcLimits } from "./server-limits.js";

type CallRatesOptions = {
  readonly limits: Readonly<Record<CallClass, RateLimit>>;
  readonly monotonicMs: () => number;
};

/**
 * How often each caller calls. A refused call counts as well, as refusing costs nearly as much time
 * as answering. A caller that goes on calling while it is refused, until it owes half a burst,
 * loses its connection.
 */
export class CallRates {
  readonly #options: CallRatesOptions;
  readonly #rates: Readonly<Record<CallClass, RateLimits>>;

  constructor(options: CallRatesOptions) {
    const { peer, member, invited, unknown } = options.limits;
    this.#options = options;
    this.#rates = {
      peer: new RateLimits({ ...peer, causersMax }),
      member: new RateLimits({ ...member, causersMax }),
      invited: new RateLimits({ ...invited, causersMax }),
      unknown: new RateLimits({ ...unknown, causersMax }),
    };
  }

  /**
   * Somebody known calls.
   *
   * @param endConnection called when the caller ignores its refusals
   * @throws RpcError CALLS_TOO_FREQUENT, with the time after which to try again
   */
  take(identity: Identity, endConnection: () => void): void {
    const kind = classOf(identity);
    const waitMs = this.#take(kind, causerOf(identity), endConnection);
    if (waitMs === 0) return;
    const { perSecond } = this.#options.limits[kind];
    const message = `${describeIdentity(identity)} calls more than ${perSecond} times a second`;
    throw new RpcError("CALLS_TOO_FREQUENT", message, {
      retryAfterMs: waitMs,
      metadata: { limit: String(perSecond) },
    });
  }

  /** A call of somebody unknown was refused: it counts for the address from which it came. */
  refusedUnknown(address: string, endConnection: () => void): void {
    this.#take("unknown", networkOf(address), endConnection);
  }

  #take(kind: CallClass, causer: string, endConnection: () => void): number {
    const rates = this.#rates[kind];
    const { perSecond, burst } = this.#options.limits[kind];
    const nowMs = this.#options.monotonicMs();
    if (rates.take(causer, 1, nowMs) === 0) return 0;
    if (rates.msInDebt(causer, nowMs) >= ((burst / perSecond) * 1_000) / 2) endConnection();
    else rates.charge(causer, 1, nowMs);
    return Math.max(1, rates.msInDebt(causer, nowMs));
  }
}

const causersMax = 10_000;

function classOf({ role }: Identity): CallClass {
  if (role === "manager" || role === "storage") return "peer";
  return role === "invited" ? role : "member";
}

/** How many calls and streams each identity has open, over all of its connections. */
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
   * @throws RpcError STREAMS_EXHAUSTED or TOO_MANY_IN_FLIGHT, with the time after which to try
   * again
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
