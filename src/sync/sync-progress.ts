/** How fast a chain grows, how far it has to go, and what there is to say about it. */

export type Progress = {
  /** The highest height that is worth believing. */
  readonly targetHeight: number;
  /** Over the last seconds. */
  readonly blocksPerSecond: number;
  /** An estimate; undefined when nothing comes. */
  readonly secondsLeft: number | undefined;
  /** Who is asked; undefined for nobody. */
  readonly peer: string | undefined;
};

/** What the log says while a node catches up. */
export type SyncNews =
  | { readonly kind: "started"; readonly height: number; readonly progress: Progress }
  | { readonly kind: "going"; readonly height: number; readonly progress: Progress }
  | {
      readonly kind: "ended";
      readonly height: number;
      readonly blocks: number;
      readonly seconds: number;
    };

const windowSeconds = 10;
export const newsIntervalMs = 10_000;
/** Fewer blocks are fetched so quickly that they are not worth a line in the log. */
export const blocksWorthNews = 10;

/** Blocks per second over the last seconds, counted by the second. */
export class BlockRate {
  /** Seconds of the clock, and the blocks in each. */
  readonly #counts = new Map<number, number>();
  #sinceMs: number | undefined;

  note(nowMs: number): void {
    this.#sinceMs ??= nowMs;
    const second = Math.floor(nowMs / 1_000);
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + 1);
    for (const at of this.#counts.keys()) if (at <= second - windowSeconds) this.#counts.delete(at);
  }

  perSecond(nowMs: number): number {
    const oldest = Math.floor(nowMs / 1_000) - windowSeconds;
    let blocks = 0;
    for (const [second, count] of this.#counts) if (second > oldest) blocks += count;
    const watchedSeconds = (nowMs - (this.#sinceMs ?? nowMs)) / 1_000;
    return blocks / Math.min(windowSeconds, Math.max(1, watchedSeconds));
  }
}

/** Says when catching up starts, goes on and ends. */
export class SyncReport {
  #started: { readonly height: number; readonly atMs: number; toldAtMs: number } | undefined;

  /** `progress` is undefined when nothing is missing. */
  look(nowMs: number, height: number, progress: Progress | undefined): SyncNews | undefined {
    const missing = (progress?.targetHeight ?? 0) - height;
    if (this.#started === undefined) {
      if (progress === undefined || missing < blocksWorthNews) return undefined;
      this.#started = { height, atMs: nowMs, toldAtMs: nowMs };
      return { kind: "started", height, progress };
    }
    if (progress === undefined || missing <= 1) {
      const { height: from, atMs } = this.#started;
      this.#started = undefined;
      return { kind: "ended", height, blocks: height - from, seconds: (nowMs - atMs) / 1_000 };
    }
    if (nowMs - this.#started.toldAtMs < newsIntervalMs) return undefined;
    this.#started.toldAtMs = nowMs;
    return { kind: "going", height, progress };
  }
}
