/** One phase after the other: strike, hold, heal, recover; and what was measured in each. */
import { setTimeout as sleep } from "node:timers/promises";
import { faults } from "./faults/catalogue.js";
import { beyondTolerance, type FaultKind, type Phase } from "./plan.js";
import type { Watchers } from "./watchers.js";
import type { World } from "./world.js";

export type PhaseResult = {
  readonly kind: FaultKind;
  readonly targets: readonly string[];
  readonly tolerated: boolean;
  readonly struckMs: number;
  /** Healing begins: from then on targets may be there again. */
  readonly healingMs: number;
  readonly healedMs: number;
  /** From the end of healing to the next block. Absent when none came in time. */
  readonly commitAfterMs?: number;
  /** From then on until every node is level with the tip. Absent when not in time. */
  readonly levelAfterMs?: number;
  /** What is in time for that. */
  readonly levelMaxMs: number;
  /** From then on until no manager is suspended any more. Absent when not in time. */
  readonly activeAfterMs?: number;
  /** Blocks made final between strike and healing. */
  readonly blocksMeanwhile: number;
  /** The longest time without a commit from the strike until the next block after healing. */
  readonly stallMs: number;
};

/** Without a block or a node level with the others for so long after healing, a run has failed. */
export const recoveryMaxMs = 90_000;
/** On top of it for each block of the chain that a node has to fetch anew, having lost all. */
const refetchMsPerBlock = 40;
const losesAll: ReadonlySet<FaultKind> = new Set(["wipe-manager", "wipe-storage"]);
const pollMs = 50;
/** A node this far behind a chain that goes on is level. */
const levelBlocks = 3;

export async function runPhase(
  world: World,
  watchers: Watchers,
  phase: Phase,
): Promise<PhaseResult> {
  const { kind, targets, holdMs, calmMs } = phase;
  const { journal } = world;
  const seconds = (holdMs / 1000).toFixed(1);
  const whom = targets.length === world.ids.length ? "all" : targets.join(", ");
  journal.log(`${kind}: ${whom}, ${seconds} s`);
  const struckMs = journal.nowMs;
  const heal = await faults[kind](world, phase);
  await sleep(Math.max(0, struckMs + holdMs - journal.nowMs));
  const healingMs = journal.nowMs;
  await heal();
  const healedMs = journal.nowMs;
  const tip = tipOf(watchers);
  const blocksMeanwhile = blocksBetween(watchers, struckMs, healedMs);
  const commitAfterMs = await measured(world, async () => tipOf(watchers) > tip);
  const levelMaxMs = recoveryMaxMs + (losesAll.has(kind) ? refetchMsPerBlock * tip : 0);
  const levelAfterMs = await measured(world, () => allLevel(world, watchers), levelMaxMs);
  const activeAfterMs = await measured(world, () => allActive(world));
  const stallMs = longestStall(watchers, struckMs, healedMs + (commitAfterMs ?? recoveryMaxMs));
  const result = {
    kind,
    targets,
    tolerated: !beyondTolerance.has(kind),
    struckMs,
    healingMs,
    healedMs,
    blocksMeanwhile,
    stallMs,
    levelMaxMs,
    ...(commitAfterMs !== undefined && { commitAfterMs }),
    ...(levelAfterMs !== undefined && { levelAfterMs }),
    ...(activeAfterMs !== undefined && { activeAfterMs }),
  };
  journal.log(`  ${describe(result)}`);
  await sleep(calmMs);
  return result;
}

/** Times between commits from `fromMs` to `toMs`, the ends counting as commits; the longest. */
export function longestGap(commitsMs: readonly number[], fromMs: number, toMs: number): number {
  const inside = commitsMs.filter((ms) => ms > fromMs && ms < toMs).toSorted((a, b) => a - b);
  const marks = [fromMs, ...inside, toMs];
  return Math.max(...marks.slice(1).map((ms, i) => ms - (marks[i] ?? fromMs)));
}

function describe(result: PhaseResult): string {
  const { blocksMeanwhile, commitAfterMs, levelAfterMs, activeAfterMs, stallMs } = result;
  const after = (ms: number | undefined, maxMs = recoveryMaxMs) =>
    ms === undefined
      ? `not within ${(maxMs / 1000).toFixed(0)} s`
      : `after ${(ms / 1000).toFixed(1)} s`;
  return (
    `${blocksMeanwhile} blocks meanwhile, longest stall ${(stallMs / 1000).toFixed(1)} s; ` +
    `healed: next block ${after(commitAfterMs)}, all level ${after(levelAfterMs, result.levelMaxMs)}, ` +
    `all active ${after(activeAfterMs)}`
  );
}

/** How long it takes until it is so, ms; undefined when it takes too long. */
async function measured(
  { journal }: World,
  isSo: () => Promise<boolean>,
  maxMs = recoveryMaxMs,
): Promise<number | undefined> {
  const startMs = journal.nowMs;
  while (!(await isSo())) {
    if (journal.nowMs - startMs > maxMs) return undefined;
    await sleep(pollMs);
  }
  return journal.nowMs - startMs;
}

async function allLevel(world: World, watchers: Watchers): Promise<boolean> {
  const heights = await world.heights();
  const goal = tipOf(watchers) - levelBlocks;
  return world.ids.every((id) => (heights.get(id) ?? 0) >= goal);
}

async function allActive(world: World): Promise<boolean> {
  return (await world.suspended())?.length === 0;
}

function tipOf({ commitMs }: Watchers): number {
  return commitMs.size;
}

function blocksBetween({ commitMs }: Watchers, fromMs: number, toMs: number): number {
  return [...commitMs.values()].filter((ms) => ms > fromMs && ms <= toMs).length;
}

function longestStall({ commitMs }: Watchers, fromMs: number, toMs: number): number {
  return longestGap([...commitMs.values()], fromMs, toMs);
}
