/**
 * Whom there is time for: a submission is let in if it will be final soon enough, as far as one can
 * tell from all that waits before it in this manager: what is on its way into the pool
 * (entry-queue.ts), and what is in the pool and waits for blocks. More would only make these queues
 * longer: everybody would wait for answers that come too late, and managers would work on
 * submissions whose senders have given up. What is refused costs next to nothing, and its sender
 * hears when to come again.
 *
 * Both waits are added up, as if blocks took nothing of what is in the pool until it is there. For
 * meanwhile other managers bring what was on its way at theirs. Nobody sees here how much that is,
 * so whoever was let in is asked again when its turn has come.
 *
 * Each participant waits for its own queue, and for the others only as far as these are served in
 * turn with it. Whoever has nothing here is let in, and so is what the next blocks take.
 */
import { RpcError } from "../../rpc/rpc-error.js";
import type { Pool } from "../pool/pool.js";
import { ServiceRate } from "../pool/service-rate.js";
import { type Entry, EntryQueue } from "./entry-queue.js";

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
  readonly pool: Pick<Pool, "waitingOf" | "costUntil">;
  /** Records that a block holds now, at most. */
  readonly blockRecordsMax: () => number;
  readonly monotonicMs: () => number;
};

export class Admission {
  readonly #ports: AdmissionPorts;
  readonly #rate = new ServiceRate();
  readonly #entering: EntryQueue;

  constructor(ports: AdmissionPorts) {
    this.#ports = ports;
    this.#entering = new EntryQueue(ports.monotonicMs);
  }

  /** Why a submission of a participant would wait too long; `cost` as in the pool's turns. */
  refusal(participantId: string, cost: number): RpcError | undefined {
    const { pool } = this.#ports;
    const entering = this.#entering.costOf(participantId);
    if (entering + pool.waitingOf(participantId) === 0) return undefined;
    const untilPooled = this.#entering.costUntil(participantId, cost);
    // What is on its way before it will be in the pool before it.
    const ofOthers = untilPooled - entering - cost;
    const untilPlaced = pool.costUntil(participantId, entering + cost) + ofOthers;
    return this.#tooLate(untilPlaced, this.#entering.msFor(untilPooled));
  }

  /**
   * The same once it is its turn to be looked at, by what is in the pool then: much may have come
   * from other managers since it was let in, which nobody saw here.
   */
  refusalInTurn({
    participantId,
    cost,
  }: Pick<Entry, "participantId" | "cost">): RpcError | undefined {
    const { pool } = this.#ports;
    if (pool.waitingOf(participantId) === 0) return undefined;
    return this.#tooLate(pool.costUntil(participantId, cost), 0);
  }

  /** `cost` as in `refusal`. */
  enter(participantId: string, cost: number): Entry {
    return this.#entering.enter(participantId, cost);
  }

  /** A block has placed records, each as many as its work, that were `cost` of the pool's turns. */
  onPlaced({ records, cost }: { readonly records: number; readonly cost: number }): void {
    const { blockRecordsMax, monotonicMs } = this.#ports;
    const isFull = records >= blockRecordsMax() * fullPart;
    this.#rate.onServed({ cost, isFull, nowMs: monotonicMs() });
  }

  /** The refusal of what waits so long for the pool, and then until so much is placed. */
  #tooLate(untilPlaced: number, enteringMs: number): RpcError | undefined {
    if (untilPlaced <= this.#ports.blockRecordsMax() * blocksMin) return undefined;
    const waitMs = enteringMs + this.#rate.msFor(untilPlaced);
    if (waitMs <= waitMsMax) return undefined;
    const takes = `${(waitMs / 1_000).toFixed(1)} s`;
    const text = `so much waits before it that it would take ${takes} until this is final`;
    const untilRoomMs = Math.ceil(waitMs - waitMsMax * refillPart);
    const retryAfterMs = Math.min(Math.max(untilRoomMs, retryMs.least), retryMs.most);
    return new RpcError("POOL_SHARE_FULL", text, { retryAfterMs });
  }
}
