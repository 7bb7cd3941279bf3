/**
 * How often each caller may call. Calls take the server's time, whether they are answered or
 * refused, so both are paid for; what streams carry is accounted for where it is handled. One who
 * goes on calling while it is refused, until it owes half a burst, loses its connection, as each
 * refusal costs nearly as much as an answer.
 */
import { type RateLimit, RateLimits } from "../../base/rate-limits.js";
import { RpcError } from "../rpc-error.js";
import { causerOf, describeIdentity, type Identity } from "../tls/identity.js";
import { networkOf } from "./address-network.js";
import type { CallClass } from "./limits.js";

type CallRatesOptions = {
  readonly limits: Readonly<Record<CallClass, RateLimit>>;
  readonly monotonicMs: () => number;
};

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
   * @param endConnection called when the caller does not heed refusals
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

  /** A call of nobody known was refused: it counts for the address from which it came. */
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
