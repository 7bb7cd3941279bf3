/** Between two loads: what the first one left behind is not to be paid for by the second. */
import { setTimeout as sleep } from "node:timers/promises";
import type { OwnConsortium } from "../own-consortium.js";
import { readMetrics } from "./metrics-page.js";

const poolMetric = "bss_pool_records";
const looksEveryMs = 500;
const waitMsMax = 60_000;

/** Resolves when no manager has records that wait for a block; false if some still do. */
export async function untilQuiet({ configs }: Pick<OwnConsortium, "configs">): Promise<boolean> {
  const managers = configs.filter(({ role }) => role === "manager");
  return untilNothingWaits(async () => {
    const pages = await Promise.all(managers.map(readMetrics));
    return Math.max(...pages.map((page) => page?.get(poolMetric) ?? 0));
  });
}

/** Asks how many wait until it is none, for a minute at most; whether it came to that. */
export async function untilNothingWaits(howMany: () => Promise<number>): Promise<boolean> {
  const endMs = performance.now() + waitMsMax;
  while ((await howMany()) > 0) {
    if (performance.now() > endMs) return false;
    await sleep(looksEveryMs);
  }
  return true;
}
