/** What a node's log and metrics say about catching up. */

import type { Logger } from "pino";
import type { DropReason } from "../metrics/label-values.js";
import type { Metrics } from "../metrics/metrics.js";
import type { Reason } from "../rpc/reasons.js";
import type { BlameReason } from "../sync/sync-peers.js";
import type { Progress, SyncNews } from "../sync/sync-progress.js";

export type SyncObserver = {
  /** A peer is left alone for a while; `detail` is for people. */
  blamed(peer: string, reason: BlameReason, detail: string, forMs: number): void;
  dropped(peer: string, reason: DropReason): void;
  syncNews(news: SyncNews): void;
};

export function syncObserver(
  log: Logger,
  metrics: Metrics,
): Pick<SyncObserver, "blamed" | "syncNews"> {
  return {
    blamed(peer, reason, detail, forMs) {
      metrics.syncBlamed.inc({ peer, reason });
      // It looks like the peer's fault, and is this node's own.
      const isOther = detail === ("CONSORTIUM_MISMATCH" satisfies Reason);
      const next = "compare genesis.json with the peer's: one of them is of another consortium";
      const fields = { peer, reason, detail, forMs, ...(isOther && { next }) };
      log.warn(fields, "a peer did not give the blocks that it has");
    },
    syncNews(news) {
      const { height } = news;
      if (news.kind === "ended") {
        const { blocks, seconds } = news;
        const blocksPerSecond = rounded(blocks / Math.max(seconds, 0.001));
        log.info({ height, blocks, seconds: rounded(seconds), blocksPerSecond }, "caught up");
        return;
      }
      const { targetHeight, peer, blocksPerSecond, secondsLeft } = news.progress;
      const left = secondsLeft === undefined ? {} : { secondsLeft: Math.ceil(secondsLeft) };
      const facts = { height, targetHeight, peer, blocksPerSecond: rounded(blocksPerSecond) };
      log.info({ ...facts, ...left }, "catching up");
    },
  };
}

/** Sets the gauges; called before each scrape. `progress` is undefined when nothing is missing. */
export function sampleSync(metrics: Metrics, height: number, progress: Progress | undefined): void {
  metrics.syncTargetHeight.set(progress?.targetHeight ?? height);
  metrics.syncBlocksPerSecond.set(progress?.blocksPerSecond ?? 0);
}

/** As GetStatus says it: in whole seconds, without what is not known. */
export function progressMessage(progress: Progress | undefined) {
  if (progress === undefined) return {};
  const { targetHeight, blocksPerSecond, secondsLeft = 0, peer = "" } = progress;
  const sync = {
    targetHeight: BigInt(targetHeight),
    blocksPerSecond,
    secondsLeft: BigInt(Math.ceil(secondsLeft)),
    peerId: peer,
  };
  return { sync };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
