/**
 * Decides whom a node that is behind asks for which blocks, and whom it leaves alone. Knows nothing
 * of links, clocks and blocks' contents: events come in with the time, effects go out.
 *
 *     claim, tick ──▶ ask ──▶ answer ──▶ append ──▶ appended
 *                                 └──────── blame ◀────┘
 *
 * Each peer has one request at a time, and a few peers have one at once, so that the next blocks
 * are on their way while these are checked. What waits is bounded in blocks and bytes. Blocks are
 * handed out in the order of the chain, one batch at a time, and each batch is its sender's.
 *
 * If the request that everything waits for takes long, a second peer is asked too. A peer fails if
 * it does not answer, or answers with something else than was asked for. When all peers have
 * failed, and more than f of them say that there are blocks, the one that failed least is asked.
 */
import type { SyncAnswer, SyncEffect, SyncEvent } from "./sync-events.js";
import { type BlameReason, isBlamed, limitOf, type SyncPeer, SyncPeers } from "./sync-peers.js";
import { firstGap, rangeOf, type SyncBatch, type SyncBlock, SyncWindow } from "./sync-window.js";

export const answerTimeoutMs = 5_000;
/** What everything waits for is asked of somebody else after this time. */
export const hedgeMs = 1_500;
/** When everybody is to blame, one of them is asked as often. */
export const retryMs = 1_000;
/** After a request that could not be sent. */
const pauseMs = 250;
/** Requests under way at once. */
export const requestsMax = 3;
/** Blocks ahead of the head that are asked for or wait. */
export const windowBlocksMax = 400;
/** Bytes that wait; each request under way counts as much as an answer may hold. */
export const windowBytesMax = 32 * 1024 * 1024;
const answerBytesMax = 6 * 1024 * 1024;
/** Answers that took longer than this must come at the least rate. */
const slowAfterMs = 2_000;
export const bytesPerSecondMin = 8 * 1024;
const blocksPerSecondMin = 2;

export type SyncPlanPorts = {
  readonly headHeight: () => number;
  readonly isLinked: (peer: string) => boolean;
  /** Peers that may lie. */
  readonly faultsMax: () => number;
  /** So many missing blocks may be on their way by themselves, for so long. */
  readonly patience: { readonly blocks: number; readonly ms: number };
};

export class SyncPlan<B extends SyncBlock> {
  readonly #ports: SyncPlanPorts;
  readonly #peers = new SyncPeers();
  readonly #window = new SyncWindow<B>();
  #appending: SyncBatch<B> | undefined;
  #behindSinceMs: number | undefined;
  #urgent = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #effects: SyncEffect<B>[] = [];

  constructor(ports: SyncPlanPorts) {
    this.#ports = ports;
  }

  step(event: SyncEvent<B>, nowMs: number): readonly SyncEffect<B>[] {
    this.#effects = [];
    switch (event.kind) {
      case "claim":
        this.#claim(event);
        break;
      case "gone": {
        const peer = this.#peers.of(event.peer);
        peer.pausedUntilMs = nowMs + pauseMs;
        this.#peers.lose(peer);
        break;
      }
      case "answer":
        this.#take(event, nowMs);
        break;
      case "appended":
        this.#onAppended(event.failure, nowMs);
        break;
      case "grown":
        if (this.#asked.length > 0 || this.#appending !== undefined) break;
        [this.#behindSinceMs, this.#urgent] = [undefined, false];
        break;
      case "tick":
        break;
    }
    this.#advance(nowMs);
    return this.#effects;
  }

  heightOf(peer: string): number {
    return this.#peers.claimOf(peer);
  }

  /** The head's height when nothing is missing. */
  targetHeight(nowMs: number): number {
    const believed = this.#peers.believedHeight(nowMs, this.#ports);
    return Math.max(this.#ports.headHeight(), believed);
  }

  /** Whose blocks are asked for, or are being appended. */
  get source(): string | undefined {
    return this.#appending?.peer ?? this.#asked[0]?.id;
  }

  #claim({ peer: id, height, urgent = false, exact = false }: SyncEvent<B> & { kind: "claim" }) {
    const peer = this.#peers.of(id);
    peer.claim = exact ? height : Math.max(height, peer.claim);
    this.#urgent ||= urgent && height > this.#ports.headHeight();
  }

  #take({ peer: id, blocks, headHeight, malformed }: SyncAnswer<B>, nowMs: number): void {
    const peer = this.#peers.of(id);
    const { request } = peer;
    const isLate = peer.late > 0 && blocks[0]?.height !== request?.fromHeight;
    if (request === undefined || isLate) {
      peer.late = Math.max(0, peer.late - 1);
      this.#effects.push({ kind: "drop", peer: id });
      return;
    }
    [peer.request, peer.late] = [undefined, 0];
    peer.claim = Math.max(peer.claim, headHeight);
    const { fromHeight, limit, sinceMs } = request;
    const asked = blocks.slice(0, limit);
    const wrongAt = asked.findIndex(({ height }, i) => height !== fromHeight + i);
    const usable = wrongAt === -1 ? asked : asked.slice(0, wrongAt);
    if (usable.length > 0) {
      this.#peers.measure(peer, usable.length, nowMs - sinceMs);
      this.#window.add({ peer: id, blocks: usable });
    }
    if (usable.length < blocks.length) {
      this.#blame(peer, "malformed", "not the blocks that were asked for", nowMs);
    } else if (malformed !== undefined) {
      this.#blame(peer, "malformed", malformed, nowMs);
    } else if (usable.length > 0) {
      this.#demandRate(peer, usable, nowMs - sinceMs, nowMs);
    } else if (this.#ports.headHeight() < fromHeight) {
      peer.claim = fromHeight - 1;
      this.#blame(peer, "empty", `it claimed block ${fromHeight}, and does not ship it`, nowMs);
    }
  }

  /** Blames a peer that sends too slowly; what it sent is used all the same. */
  #demandRate(peer: SyncPeer, blocks: readonly B[], tookMs: number, nowMs: number): void {
    if (tookMs < slowAfterMs) return;
    const byteCount = blocks.reduce((sum, block) => sum + block.byteCount, 0);
    const [bytes, count] = [byteCount, blocks.length].map((each) => (each * 1_000) / tookMs);
    if ((bytes ?? 0) >= bytesPerSecondMin || (count ?? 0) >= blocksPerSecondMin) return;
    this.#blame(peer, "slow", `${blocks.length} blocks in ${Math.round(tookMs)} ms`, nowMs);
  }

  #onAppended(failure: string | undefined, nowMs: number): void {
    const batch = this.#appending;
    this.#appending = undefined;
    if (batch === undefined) return;
    const peer = this.#peers.of(batch.peer);
    const brought = this.#ports.headHeight() >= rangeOf(batch).from;
    if (failure === undefined && brought) {
      this.#peers.praise(peer);
      return;
    }
    this.#window.discard(batch.peer);
    this.#blame(peer, "invalid", failure ?? "its blocks bring nothing new", nowMs);
  }

  #advance(nowMs: number): void {
    this.#appendNext();
    this.#expire(nowMs);
    const missing = this.#peers.claimedHeight(nowMs) - this.#ports.headHeight();
    if (missing <= 0) {
      [this.#behindSinceMs, this.#urgent] = [undefined, false];
    } else {
      this.#behindSinceMs ??= nowMs;
      const { patience } = this.#ports;
      const onTheirWay = nowMs - this.#behindSinceMs < patience.ms && missing <= patience.blocks;
      if (onTheirWay && !this.#urgent) return;
      this.#fillWindow(nowMs);
      this.#hedge(nowMs);
    }
    this.#askLeastBad(nowMs);
  }

  #appendNext(): void {
    if (this.#appending !== undefined) return;
    const batch = this.#window.takeNext(this.#ports.headHeight());
    if (batch === undefined) return;
    this.#appending = batch;
    this.#effects.push({ kind: "append", ...batch });
  }

  #expire(nowMs: number): void {
    for (const peer of this.#asked) {
      const { request } = peer;
      if (!this.#ports.isLinked(peer.id)) {
        this.#peers.lose(peer);
        continue;
      }
      if (request === undefined || nowMs - request.sinceMs < answerTimeoutMs) continue;
      peer.request = undefined;
      peer.late += 1;
      this.#peers.slowDown(peer);
      this.#blame(peer, "silent", "no answer to a request for blocks", nowMs);
    }
  }

  #fillWindow(nowMs: number): void {
    const head = this.#ports.headHeight();
    for (;;) {
      const gap = firstGap(head, this.#covered);
      if (!this.#hasRoom(gap.from - head)) return;
      const peer = this.#peers.choose(this.#free(nowMs, gap.from));
      if (peer === undefined) return;
      this.#ask(peer, gap.from, Math.min(limitOf(peer), gap.to - gap.from + 1), nowMs);
    }
  }

  #hasRoom(blocksAhead: number): boolean {
    // The next block is always asked for: without it nothing can be appended.
    if (blocksAhead === 1) return true;
    const underWay = this.#asked.length;
    if (underWay >= requestsMax || blocksAhead > windowBlocksMax) return false;
    return this.#window.byteCount + (underWay + 1) * answerBytesMax <= windowBytesMax;
  }

  /** Asks another peer for the next block, if the request for it takes long. */
  #hedge(nowMs: number): void {
    const next = this.#ports.headHeight() + 1;
    if (this.#appending !== undefined) return;
    const waitedFor = this.#asked.filter(({ request }) => request?.fromHeight === next);
    const isLate = ({ request }: SyncPeer) => nowMs - (request?.sinceMs ?? nowMs) >= hedgeMs;
    if (waitedFor.length === 0 || !waitedFor.every(isLate)) return;
    const peer = this.#peers.choose(this.#free(nowMs, next));
    if (peer === undefined) return;
    for (const slow of waitedFor) {
      if (slow.request === undefined || slow.request.hedged) continue;
      slow.request.hedged = true;
      this.#peers.slowDown(slow);
    }
    this.#ask(peer, next, limitOf(peer), nowMs);
  }

  #askLeastBad(nowMs: number): void {
    const next = this.#ports.headHeight() + 1;
    const isBusy = this.#asked.length > 0 || this.#appending !== undefined;
    if (isBusy || nowMs - this.#askedAtMs < retryMs || this.targetHeight(nowMs) < next) return;
    const linked = this.#peers.all.filter(
      (peer) => peer.claim >= next && this.#mayAsk(peer, nowMs),
    );
    if (linked.some((peer) => !isBlamed(peer, nowMs))) return;
    const peer = this.#peers.leastBad(linked);
    if (peer !== undefined) this.#ask(peer, next, limitOf(peer), nowMs);
  }

  #ask(peer: SyncPeer, fromHeight: number, most: number, nowMs: number): void {
    const limit = Math.min(most, peer.claim - fromHeight + 1);
    peer.request = { fromHeight, limit, sinceMs: nowMs, hedged: false };
    this.#askedAtMs = nowMs;
    this.#effects.push({ kind: "ask", peer: peer.id, fromHeight, limit });
  }

  get #asked(): readonly SyncPeer[] {
    return this.#peers.all.filter(({ request }) => request !== undefined);
  }

  get #covered() {
    const asked = this.#peers.all.flatMap(({ request }) =>
      request === undefined
        ? []
        : [{ from: request.fromHeight, to: request.fromHeight + request.limit - 1 }],
    );
    const appending = this.#appending === undefined ? [] : [rangeOf(this.#appending)];
    return [...asked, ...appending, ...this.#window.ranges];
  }

  #free(nowMs: number, height: number): readonly SyncPeer[] {
    return this.#peers.all.filter(
      (peer) => peer.claim >= height && this.#mayAsk(peer, nowMs) && !isBlamed(peer, nowMs),
    );
  }

  #mayAsk(peer: SyncPeer, nowMs: number): boolean {
    const { request, pausedUntilMs, id } = peer;
    return request === undefined && pausedUntilMs <= nowMs && this.#ports.isLinked(id);
  }

  #blame(peer: SyncPeer, reason: BlameReason, detail: string, nowMs: number): void {
    const forMs = this.#peers.blame(peer, nowMs);
    this.#effects.push({ kind: "blame", peer: peer.id, reason, detail, forMs });
  }
}
