/**
 * One run: a consortium of real processes under load, faults by the plan, healing, and the check of
 * everything. Bounded in time; it ends what it started and nothing else.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkEverything, checkPrivacy } from "./checker.js";
import { badLogLines } from "./checks/logs.js";
import { checkAbsencesNamed, unfoundedSuspensions } from "./checks/managers.js";
import type { Journal } from "./journal.js";
import { Load, participants } from "./load/load.js";
import { type PhaseResult, recoveryMaxMs, runPhase } from "./phases.js";
import { type FaultKind, planPhases } from "./plan.js";
import type { Outcome } from "./report.js";
import { Watchers } from "./watchers.js";
import { World } from "./world.js";

export type ChaosOptions = {
  readonly seed: number;
  /** How long faults go on; starting, the last recovery and checking come on top. */
  readonly faultsMs: number;
  /** Exists and is empty; what the run leaves in it is the caller's to remove. */
  readonly directory: string;
  readonly managers: number;
  readonly storage: number;
  readonly journal: Journal;
  readonly kinds?: readonly FaultKind[];
  readonly pauseMaxMs?: number;
  readonly holdMaxMs?: number;
  /** Between two submissions of one participant. */
  readonly paceMs?: number;
};

const quietMs = 2_000;
const finishPatienceMs = 120_000;
/** Of a consortium that has not recovered nobody waits for more. */
const hopelessPatienceMs = 5_000;
/** A suspension may come so long after its cause was healed. */
const suspensionSlackMs = 10_000;
/** Without a block for so long, a ring without load has nothing left to do. */
const standingMs = 3_000;

export async function runChaos(options: ChaosOptions): Promise<Outcome> {
  const { seed, directory, managers, storage, journal, paceMs = 60 } = options;
  journal.log(`seed ${seed}: starting ${managers} managers and ${storage} storage nodes`);
  const sizes = { managers, storage, participants };
  const world = await World.start(directory, sizes, journal);
  let closed = false;
  try {
    const load = new Load(world, paceMs);
    const watchers = await openWatchers(world);
    await load.start(seed);
    await sleep(quietMs);
    const phases = await strike(world, watchers, options);
    const recovered = phases.every((phase) => unrecovered(phase).length === 0);
    journal.log("the last fault is healed; the load ends");
    await load.finish(recovered ? finishPatienceMs : hopelessPatienceMs);
    await agreed(world, recovered ? recoveryMaxMs : hopelessPatienceMs);
    const verdict = await checkEverything({ world, load, watchers, seed });
    journal.log("stopping every node");
    const stopping = await world.close().then(
      () => [],
      (error: unknown) => [`nodes did not stop cleanly: ${error}`],
    );
    closed = true;
    const privacy = checkPrivacy(world, load);
    const { book } = load;
    return {
      seed,
      phases,
      journal: journal.entries,
      ledger: verdict.ledger,
      made: book.made.size,
      acknowledged: book.acknowledged.size,
      lost: verdict.lost,
      refusals: Object.fromEntries(book.refusals),
      commitsMs: [...watchers.commitMs.values()],
      unfoundedSuspensions: unfoundedSuspensions(
        verdict.ledger,
        watchers.commitMs,
        phases,
        suspensionSlackMs,
      ),
      seen: { ...verdict.seen, "bytes searched for plaintext": privacy.bytesRead },
      violations: [
        ...verdict.violations,
        ...checkAbsencesNamed(verdict.ledger, watchers.commitMs, phases),
        ...stopping,
        ...privacy.violations,
        ...phases.flatMap(unrecovered),
        ...world.unaskedExits.map(({ id, exit, atMs }) => {
          const how = exit.signal ?? `exit code ${exit.code}`;
          return `${id} ended by itself at ${(atMs / 1000).toFixed(1)} s: ${how}`;
        }),
        ...world.consortium.nodes.flatMap((node) => badLogLines(node, phases)),
      ],
    };
  } finally {
    if (!closed) {
      await world.close().catch((error: unknown) => journal.log(`closing: ${error}`));
    }
    for (const build of ["build-a", "build-b"]) {
      rmSync(join(directory, build), { recursive: true, force: true });
    }
  }
}

async function openWatchers(world: World): Promise<Watchers> {
  const { consortium, journal } = world;
  const watchers = new Watchers(journal, consortium.profile("auditor-1"));
  for (const { id, role } of consortium.nodes) {
    watchers.follow({ id, role, address: consortium.addressOf(id) });
  }
  watchers.followAll(await consortium.client("auditor-1"));
  return watchers;
}

async function strike(
  world: World,
  watchers: Watchers,
  options: ChaosOptions,
): Promise<readonly PhaseResult[]> {
  const { faultsMs, ...rest } = options;
  const plan = planPhases({ ...rest, managers: world.managers, storage: world.storage });
  const untilMs = world.journal.nowMs + faultsMs;
  const results: PhaseResult[] = [];
  while (world.journal.nowMs < untilMs) {
    const result = await runPhase(world, watchers, plan.next().value);
    results.push(result);
    // What comes after a consortium that does not recover would say nothing.
    if (unrecovered(result).length > 0) break;
  }
  return results;
}

function unrecovered(result: PhaseResult): readonly string[] {
  const { kind, commitAfterMs, levelAfterMs, levelMaxMs, activeAfterMs } = result;
  const levelLimit = `${(levelMaxMs / 1000).toFixed(0)} s`;
  const limit = `${recoveryMaxMs / 1000} s`;
  return [
    ...(commitAfterMs === undefined ? [`no block within ${limit} after ${kind} was healed`] : []),
    ...(levelAfterMs === undefined
      ? [`a node is behind ${levelLimit} after ${kind} was healed`]
      : []),
    ...(activeAfterMs === undefined ? [`suspended ${limit} after ${kind} was healed`] : []),
  ];
}

/**
 * Waits until all nodes stand at one height for a while. While a manager is
 * suspended the ring is not idle: there is a block to come with its return.
 */
async function agreed(world: World, patienceMs: number): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  let since = { height: -1, ms: 0 };
  while (performance.now() < deadlineMs) {
    const heights = [...(await world.heights()).values()];
    const [first = 0] = heights;
    const same = heights.length === world.ids.length && heights.every((one) => one === first);
    if (!same || (await world.suspended())?.length !== 0) since = { height: -1, ms: 0 };
    else if (since.height !== first) since = { height: first, ms: performance.now() };
    else if (performance.now() - since.ms > standingMs) return;
    await sleep(100);
  }
  world.journal.log("the nodes do not come to stand at one height");
}
