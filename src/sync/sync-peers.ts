/**
 * The peers that can send this node blocks: which height each claims, how fast it has been, and how
 * often it has failed.
 *
 * A claimed height is a hint and nothing else. One peer alone is believed as long as it can be
 * asked and has never failed to ship what it claimed; after that only what more than f peers claim
 * counts, as one of them is honest. A peer that fails is left alone for a time that doubles with
 * each failure, and is forgiven one failure for each batch that is valid.
 */

type SyncRequest = {
  readonly fromHeight: number;
  readonly limit: number;
  readonly sinceMs: number;
  /** Another peer was asked for the same, as this one takes long. */
  hedged: boolean;
};

export type SyncPeer = {
  readonly id: string;
  /** The height that it says it holds. */
  claim: number;
  failures: number;
  blamedUntilMs: number;
  /** A request could not be sent; there is no use in trying before. */
  pausedUntilMs: number;
  /** Measured; undefined before the first answer. */
  blocksPerSecond: number | undefined;
  request: SyncRequest | undefined;
  /** Requests that were given up, whose answers may still come. */
  late: number;
  /** Of the smooth weighted round-robin. */
  credit: number;
};

/** Why a peer is left alone for a while. */
export type BlameReason =
  /** It did not answer. */
  | "silent"
  /** It answered below the least rate. */
  | "slow"
  /** It ships no block that it claims to hold. */
  | "empty"
  /** What it sent cannot be read, or is not what was asked for. */
  | "malformed"
  /** One of its blocks is not valid. */
  | "invalid";

type Links = {
  readonly isLinked: (id: string) => boolean;
  /** Peers that may lie. */
  readonly faultsMax: () => number;
};

export const blameMsMin = 5_000;
export const blameMsMax = 600_000;
/** Asked of a peer that has not been measured. */
export const firstLimit = 20;
const limitMin = 4;
/** No peer ships more in one answer. */
export const limitMax = 100;
/** An answer should take about as long, so that no peer holds up the others. */
const answerSeconds = 1;

export class SyncPeers {
  readonly #peers = new Map<string, SyncPeer>();

  of(id: string): SyncPeer {
    const known = this.#peers.get(id);
    if (known !== undefined) return known;
    const peer: SyncPeer = {
      id,
      claim: 0,
      failures: 0,
      late: 0,
      credit: 0,
      blamedUntilMs: 0,
      pausedUntilMs: 0,
      blocksPerSecond: undefined,
      request: undefined,
    };
    this.#peers.set(id, peer);
    return peer;
  }

  get all(): readonly SyncPeer[] {
    return [...this.#peers.values()];
  }

  claimOf(id: string): number {
    return this.#peers.get(id)?.claim ?? 0;
  }

  /** The highest height that is worth believing, when up to `faultsMax` peers lie. */
  believedHeight(nowMs: number, { isLinked, faultsMax }: Links): number {
    const claims = this.all.map(({ claim }) => claim).sort((a, b) => b - a);
    const unfailing = this.all.filter(
      (peer) => peer.failures === 0 && !isBlamed(peer, nowMs) && isLinked(peer.id),
    );
    return Math.max(claims[faultsMax()] ?? 0, ...unfailing.map(({ claim }) => claim));
  }

  /** The highest height that anybody claims who may be asked now. */
  claimedHeight(nowMs: number): number {
    const askable = this.all.filter((peer) => !isBlamed(peer, nowMs));
    return Math.max(0, ...askable.map(({ claim }) => claim));
  }

  /**
   * One of `candidates`, in turns that are as many as the peers are fast; one that has not been
   * measured counts as fast as the others on average.
   */
  choose(candidates: readonly SyncPeer[]): SyncPeer | undefined {
    const measured = candidates.flatMap(({ blocksPerSecond: rate }) => rate ?? []);
    const mean = measured.reduce((sum, rate) => sum + rate, 0) / Math.max(1, measured.length);
    let total = 0;
    let chosen: SyncPeer | undefined;
    for (const peer of candidates) {
      const weight = Math.max(peer.blocksPerSecond ?? mean, 1) / (1 + peer.failures);
      total += weight;
      peer.credit += weight;
      if (chosen === undefined || peer.credit > chosen.credit) chosen = peer;
    }
    if (chosen !== undefined) chosen.credit -= total;
    return chosen;
  }

  /** Of peers that all failed: the one that failed least, and among those the longest ago. */
  leastBad(candidates: readonly SyncPeer[]): SyncPeer | undefined {
    const inOrder = [...candidates].sort(
      (a, b) => a.failures - b.failures || a.blamedUntilMs - b.blamedUntilMs,
    );
    return inOrder[0];
  }

  /** Notes a failure; for how long the peer is left alone, ms. */
  blame(peer: SyncPeer, nowMs: number): number {
    const forMs = Math.min(blameMsMax, blameMsMin * 2 ** peer.failures);
    peer.failures += 1;
    peer.blamedUntilMs = nowMs + forMs;
    peer.credit = 0;
    return forMs;
  }

  /**
   * Notes that the link is gone, and what was asked for on it. That is no peer's fault, but one
   * that could claim and go would never be found out: it is believed alone again when it has
   * shipped.
   */
  lose(peer: SyncPeer): void {
    if (peer.request !== undefined) peer.failures = Math.max(1, peer.failures);
    [peer.request, peer.late] = [undefined, 0];
  }

  /** Notes that blocks of this peer were valid. */
  praise(peer: SyncPeer): void {
    peer.failures = Math.max(0, peer.failures - 1);
    peer.blamedUntilMs = 0;
  }

  /** Notes how long an answer took. */
  measure(peer: SyncPeer, blocks: number, elapsedMs: number): void {
    const rate = (blocks * 1_000) / Math.max(1, elapsedMs);
    const before = peer.blocksPerSecond ?? rate;
    peer.blocksPerSecond = (before + rate) / 2;
  }

  /** Notes that a peer is slow: it is asked for fewer blocks, and less often. */
  slowDown(peer: SyncPeer): void {
    peer.blocksPerSecond = (peer.blocksPerSecond ?? firstLimit) / 2;
  }
}

export function isBlamed(peer: SyncPeer, nowMs: number): boolean {
  return peer.blamedUntilMs > nowMs;
}

/** How many blocks are asked of a peer in one request. */
export function limitOf({ blocksPerSecond }: SyncPeer): number {
  if (blocksPerSecond === undefined) return firstLimit;
  const fitting = Math.round(blocksPerSecond * answerSeconds);
  return Math.min(limitMax, Math.max(limitMin, fitting));
}
