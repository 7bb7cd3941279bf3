/**
 * Loads before the first one that is measured. V8 compiles what a process runs step by step, for
 * minutes; nodes run for months, so what carries over is what they cost once that is done.
 *
 *     start ── turn ── turn ── … ── turn ── quiet ── first load, with a warm-up of its own
 *              1 x 16  100 x 64     1 x 1
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Loop, refusedOf, startLoop } from "../../src/cli/bench/loop.js";
import type { BssClient } from "../../src/client/index.js";
import { numberOf } from "../options.js";
import type { OwnConsortium } from "../own-consortium.js";
import { untilQuiet } from "../usage/quiet.js";
import { loadName, parseLoad } from "./load.js";
import { recordsOf } from "./readings.js";

/** The first one spares nodes that have just started, the last one leaves little to be done. */
const mixture = ["1 x 16", "100 x 64", "100 profiles x 64", "1 x 256", "1 x 1"].map(parseLoad);
const turnMs = 4_000;
const drainMsMax = 30_000;

export type Turn<L> = { readonly load: L; readonly ms: number };

/** The loads in turn, each as often and as long as the others, for `totalMs` together. */
export function turnsOf<L>(loads: readonly L[], totalMs: number): readonly Turn<L>[] {
  if (totalMs === 0) return [];
  const rounds = Math.max(1, Math.round(totalMs / (turnMs * loads.length)));
  const ms = totalMs / (rounds * loads.length);
  const round = loads.map((load): Turn<L> => ({ load, ms }));
  return Array.from({ length: rounds }, () => round).flat();
}

export type Warming<L> = {
  /** Time under load; waiting for the last answers of each load comes on top. */
  readonly totalMs: number;
  readonly start: (load: L) => Loop;
  readonly nameOf: (load: L) => string;
};

/** Keeps a system under these loads in turn. Throws when a load ends by itself. */
export async function warm<L>(loads: readonly L[], warming: Warming<L>): Promise<void> {
  const { totalMs, start, nameOf } = warming;
  const names = loads.map(nameOf).join(", ");
  for (const [index, { load, ms }] of turnsOf(loads, totalMs).entries()) {
    if (index % loads.length === 0) {
      console.log(`warming, ${Math.round((index * ms) / 1_000)} of ${totalMs / 1_000} s: ${names}`);
    }
    const loop = start(load);
    await sleep(ms);
    await loop.stop(drainMsMax);
    if (loop.failure !== undefined) {
      throw new Error(`warming with ${nameOf(load)} ended by itself: ${loop.failure}`);
    }
    for (const [reason, count] of Object.entries(refusedOf(loop.entries))) {
      console.log(`! warming with ${nameOf(load)}: ${count} ${reason}`);
    }
  }
}

/**
 * Warms all nodes, and this process as the client, by a fixed mixture of loads of one participant.
 * Load profiles are part of it if the participant has meters for them.
 */
export async function warmConsortium(
  consortium: Pick<OwnConsortium, "configs">,
  client: BssClient,
  { totalMs, profileMeters }: { readonly totalMs: number; readonly profileMeters: number },
): Promise<void> {
  const loads = mixture.filter(({ of }) => of === "readings" || profileMeters > 0);
  await warm(loads, {
    totalMs,
    start: (load) => {
      const records = recordsOf(load, client.profile.id, profileMeters);
      return startLoop(client, { load, records, warmUpMs: 0 });
    },
    nameOf: loadName,
  });
  await untilQuiet(consortium);
}

/** The value of `--warm-seconds` in ms; 0 is no warming. Throws for what is no such number. */
export function warmMsOf(option: string): number {
  return numberOf("warm-seconds", option, 0) * 1_000;
}
