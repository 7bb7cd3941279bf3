/**
 * Whom there is time for: a submission is let in if it will be final soon enough, as far as one can
 * tell from what waits before it and from how fast the latest blocks were. More would only make the
 * queue longer, as blocks are full anyway: everybody would wait for answers that come too late, and
 * managers would work on submissions whose senders have given up. What is refused costs next to
 * nothing, and its sender hears when to come again.
 *
 * Each participant waits for its own queue, and for the others only as far as these are served in
 * turn with it. Whoever has nothing here is let in, and so is what the next blocks take.
 */
import { RpcError } from "../../rpc/rpc-error.js";
import type { Pool } from "../pool/pool.js";
import { ServiceRate } from "../pool/service-rate.js";

/** Longer than that a queue makes nothing faster; callers without a deadline wait for 30 s. */
const waitMsMax = 10_000;
/** Whoever is refused comes again when so much of that is left. */
const refillPart = 1 / 2;
const retryMs = { least: 1_000, most: 10_000 } as const;
/** What fits into so many blocks is let in: so there is always enough to fill one, and to learn. */
const blocksMin = 2;
/** A block that is as full as that is taken for full: each manager knows only its own bound. */
const fullPart = 1 / 2;

export type AdmissionPorts = {
  readonly pool: Pick<Pool, "costUntil">;
  /** Records that a block holds now, at most. */
  readonly blockRecordsMax: () => number;
  readonly monotonicMs: () => number;
};

/** A submission that was let in, and is not in the pool yet. */
export type Entry = {
  /** It is in the pool, or will not come. May be called again. */
  readonly end: () => void;
};

export class Admission {
  readonly #ports: AdmissionPorts;
  readonly #rate = new ServiceRate();
  /** What was let in and is not in the pool yet, by participant. */
  readonly #entering = new Map<string, number>();

  constructor(ports: AdmissionPorts) {
    this.#ports = ports;
  }

  /** Why a submission of a participant would wait too long; `cost` as in the pool's turns. */
  refusal(participantId: string, cost: number): RpcError | undefined {
    const { pool, blockRecordsMax } = this.#ports;
    const coming = (this.#entering.get(participantId) ?? 0) + cost;
    const { own, all } = pool.costUntil(participantId, coming);
    if (own <= cost || all <= blockRecordsMax() * blocksMin) return undefined;
    const waitMs = this.#rate.msFor(all);
    if (waitMs <= waitMsMax) return undefined;
    const takes = `${(waitMs / 1_000).toFixed(1)} s`;
    const text = `so much of the participant waits that it would take ${takes} until this is final`;
    const untilRoomMs = Math.ceil(waitMs - waitMsMax * refillPart);
    const retryAfterMs = Math.min(Math.max(untilRoomMs, retryMs.least), retryMs.most);
    return new RpcError("POOL_SHARE_FULL", text, { retryAfterMs });
  }

  enter(participantId: string, cost: number): Entry {
    // Whole numbers, whose sum is 0 again when all have ended.
    let left = Math.ceil(cost);
    this.#count(participantId, left);
    const end = () => {
      if (left > 0) this.#count(participantId, -left);
      left = 0;
    };
    return { end };
  }

  /** A block has placed records, each as many as its work, that were `cost` of the pool's turns. */
  onPlaced({ records, cost }: { readonly records: number; readonly cost: number }): void {
    const { blockRecordsMax, monotonicMs } = this.#ports;
    const isFull = records >= blockRecordsMax() * fullPart;
    this.#rate.onServed({ cost, isFull, nowMs: monotonicMs() });
  }

  #count(participantId: string, change: number): void {
    const cost = (this.#entering.get(participantId) ?? 0) + change;
    if (cost > 0) this.#entering.set(participantId, cost);
    else this.#entering.delete(participantId);
  }
}
