/**
 * What a load does while its clock runs: when records became final, how late answers were, and the
 * processor time of groups of processes.
 *
 *     start ── warm-up ──┬─ slice ─┬─ slice ─┬─ … ─┬── stop, drain
 *                        │         │         │     │
 *     processor time     ×         ×         ×     ×     of all processes, at each mark
 *     before, after     ×                          ×     what the caller reads, outside the marks
 *
 * Records are counted by when they became final within the slices, latencies are those of all
 * submissions that were due within them. Load stays on until after the last mark, so nothing is
 * measured while a pipeline fills or empties.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Loop, recordsFinal, refusedOf } from "../../src/cli/bench/loop.js";
import { latenciesMs } from "../../src/cli/bench/schedule.js";
import { sum } from "../report/statistics.js";
import { canMeasure, cpuMsOf } from "../storage-nodes/usage.js";

export type Observed<G extends string, S> = {
  readonly before: S;
  readonly after: S;
  /** Until answers, ascending, of what was due while the clock ran. */
  readonly latenciesMs: readonly number[];
  /** One for each slice of the time: */
  readonly seconds: readonly number[];
  readonly records: readonly number[];
  /** Of all processes of a group together, ms; undefined where it cannot be read. */
  readonly cpuMs: Readonly<Record<G | "client", readonly number[] | undefined>>;
  /** Of the whole load, warm-up and end included. */
  readonly refused: Readonly<Record<string, number>>;
  readonly unanswered: number;
  /** False if the clock was started before the load was warm, as it took too long. */
  readonly warmedUp: boolean;
};

export type ObserveOptions<G extends string, S> = {
  readonly pids: Readonly<Record<G, readonly number[]>>;
  readonly windowMs: number;
  /** The longest time to wait for what is unanswered at the end. */
  readonly drainMsMax: number;
  readonly snapshot: () => Promise<S>;
};

type Mark<G extends string> = {
  readonly atMs: number;
  readonly cpuMs: Readonly<Record<G | "client", number | undefined>>;
};

const slices = 5;
const warmUpMsMax = 20_000;

export async function observe<G extends string, S>(
  loop: Loop,
  { pids, windowMs, drainMsMax, snapshot }: ObserveOptions<G, S>,
): Promise<Observed<G, S>> {
  const warmedUp = await isWarm(loop);
  const before = await snapshot();
  const first = takeMark(pids);
  const marks = [first];
  for (let slice = 1; slice <= slices; slice++) {
    const dueMs = first.atMs + (windowMs * slice) / slices;
    await sleep(Math.max(0, dueMs - performance.now()));
    marks.push(takeMark(pids));
  }
  const after = await snapshot();
  const endMs = await loop.stop(drainMsMax);
  const pairs = marks.slice(1).map((to, i) => [marks[i] ?? first, to] as const);
  const groups = Object.keys(first.cpuMs) as (G | "client")[];
  const cpuMs = groups.map((group) => [group, spentMs(pairs, group)] as const);
  const toMs = marks.at(-1)?.atMs ?? first.atMs;
  return {
    before,
    after,
    latenciesMs: latenciesMs(loop.entries, { fromMs: first.atMs, toMs, endMs }),
    seconds: pairs.map(([from, to]) => (to.atMs - from.atMs) / 1_000),
    records: pairs.map(([from, to]) => recordsFinal(loop.entries, from.atMs, to.atMs)),
    cpuMs: Object.fromEntries(cpuMs) as Observed<G, S>["cpuMs"],
    refused: refusedOf(loop.entries),
    unanswered: loop.entries.filter(({ answeredMs }) => answeredMs === undefined).length,
    warmedUp,
  };
}

async function isWarm(loop: Loop): Promise<boolean> {
  const cutOff = new AbortController();
  const { signal } = cutOff;
  const late = sleep(warmUpMsMax, false, { signal }).catch(() => false);
  const warm = await Promise.race([loop.warm.then(() => true), late]);
  cutOff.abort();
  return warm;
}

function takeMark<G extends string>(pids: Readonly<Record<G, readonly number[]>>): Mark<G> {
  const groups = Object.entries<readonly number[]>(pids).map(([group, of]) => {
    return [group, canMeasure && of.length > 0 ? sum(of.map(cpuMsOf)) : undefined] as const;
  });
  const { user, system } = process.cpuUsage();
  const atMs = performance.now();
  const cpuMs = Object.fromEntries([...groups, ["client", (user + system) / 1_000]]);
  return { atMs, cpuMs: cpuMs as Mark<G>["cpuMs"] };
}

function spentMs<G extends string>(
  pairs: readonly (readonly [Mark<G>, Mark<G>])[],
  group: G | "client",
): readonly number[] | undefined {
  const spent = pairs.map(([from, to]) => {
    return (to.cpuMs[group] ?? Number.NaN) - (from.cpuMs[group] ?? Number.NaN);
  });
  return spent.some(Number.isNaN) ? undefined : spent;
}
