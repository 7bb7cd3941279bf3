/**
 * What a storage node writes to its log and its metrics about its chain, its links and its repair:
 * ids, heights, reasons and counts. No bytes of records are logged, although they are sealed here.
 */
import type { Logger } from "pino";
import type { Metrics } from "../metrics/metrics.js";
import { syncObserver } from "../node/sync-observer.js";
import type { ChainObserver } from "./chain/chain-ports.js";
import type { LinksObserver } from "./manager-links.js";
import type { RepairObserver } from "./repair/self-repair.js";

export function chainObserver(
  log: Logger,
  metrics: Metrics,
  monotonicMs: () => number,
): ChainObserver {
  let appendedAtMs: number | undefined;
  return {
    appended(height, treeSize, records) {
      const nowMs = monotonicMs();
      if (appendedAtMs !== undefined) {
        metrics.blockIntervalSeconds.observe((nowMs - appendedAtMs) / 1_000);
      }
      appendedAtMs = nowMs;
      metrics.height.set(height);
      metrics.treeSize.set(treeSize);
      metrics.blocks.inc();
      metrics.records.inc(records);
      log.debug({ height, treeSize, records }, "appended a block");
    },
    attested(verdict, height, round) {
      metrics.attestations.inc({ verdict });
      if (verdict === "match") log.debug({ height, round }, "attested a match");
      else log.error({ height, round }, "attested a mismatch: HASH2 is not the block's HASH1");
    },
    behind(managerId, height) {
      metrics.attestations.inc({ verdict: "behind" });
      log.debug({ managerId, height }, "a candidate came before the block that it extends");
    },
    dropped(managerId, reason) {
      metrics.messagesDropped.inc({ reason });
      log.debug({ managerId, reason }, "dropped a message");
    },
    ...syncObserver(log, metrics),
    wrote(seconds) {
      metrics.storeWriteSeconds.observe(seconds);
    },
  };
}

/** Another process takes this one's links every few seconds as long as both run. */
const takenOverToldEveryMs = 10 * 60_000;

/** Only the first of several failed attempts is a warning, as each would be a line. */
export function linksObserver(
  log: Logger,
  metrics: Metrics,
  monotonicMs: () => number,
): LinksObserver {
  const down = new Set<string>();
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const takenOver = (managerId: string) => {
    metrics.linksTakenOver.inc();
    if (monotonicMs() - toldAtMs < takenOverToldEveryMs) return;
    toldAtMs = monotonicMs();
    const what = "another process runs with this node's key, and has taken its link to a manager";
    const next = "stop one of the two; a copy needs an invitation, an id and a key of its own";
    log.error({ managerId }, `${what}: ${next}`);
  };
  return {
    changed(managerId, state, connected, cause) {
      metrics.peersConnected.set({ role: "manager" }, connected);
      if (state === "connected") {
        log.info({ managerId }, "linked to a manager");
        down.delete(managerId);
      }
      if (state !== "disconnected") return;
      if (cause?.reason === "LINK_TAKEN_OVER") return takenOver(managerId);
      const level = down.has(managerId) ? "debug" : "warn";
      down.add(managerId);
      log[level]({ managerId, reason: cause?.reason, detail: cause?.message }, "a link is down");
    },
    dropped: (messages) => metrics.queueDropped.inc({ queue: "manager-link" }, messages),
  };
}

/** Names every part that was damaged. */
export function repairObserver(log: Logger, metrics: Metrics): RepairObserver {
  return {
    repairing(cause) {
      metrics.storeRepairing.set(1);
      log.error({ cause }, "checking the whole store: this node attests nothing meanwhile");
    },
    damaged({ height, what }) {
      metrics.storeDamaged.inc(what.length);
      log.error({ height, what }, "a part of the store was missing or damaged");
    },
    filesDamaged(finding) {
      metrics.storeDamaged.inc();
      log.error({ finding }, "the store was damaged");
    },
    repaired(parts, seconds) {
      metrics.storeRepairing.set(0);
      log.warn({ parts, seconds }, "the store is whole again");
    },
  };
}
