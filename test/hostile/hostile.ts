/**
 * One run: a consortium of real processes, an honest participant all the time, a quiet phase, and
 * then one phase for each attack, or one for all at once. Bounded in time; it ends what it started.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { defined } from "../../src/base/assert.js";
import { memoryBound } from "../../src/manager/memory-bound.js";
import { rpcLimitsOf } from "../../src/node/rpc-options.js";
import type { Attack } from "./attack.js";
import { Attackers } from "./attackers.js";
import { type Bounds, brokenBounds, defaultBounds } from "./bounds.js";
import { HonestParticipant } from "./honest.js";
import { machineMs, type PhaseFigures, Watch } from "./measurements.js";
import { compromised } from "./target.js";
import { HostileWorld, type WorldOptions } from "./world.js";

export type HostileOptions = WorldOptions & {
  readonly attacks: readonly Attack[];
  /** Of each phase, s. */
  readonly seconds: number;
  /** All attacks in one phase; those that need nodes to be down follow by themselves. */
  readonly together: boolean;
  /** Whether the honest participant's latency is a bound. */
  readonly assertLatency: boolean;
  /** Of the phase without attacks, s, at most; only what shows that all goes well if absent. */
  readonly quietSecondsMax?: number;
  /** Overrides of the bounds of every attack. */
  readonly bounds?: Partial<Bounds>;
  /** How much lower than all others' the priority of the attackers' process is; 0 if absent. */
  readonly nice?: number;
  readonly tell?: (phase: JudgedPhase) => void;
};

export type JudgedPhase = PhaseFigures & { readonly broken: readonly string[] };

export type HostileOutcome = {
  readonly quiet: JudgedPhase;
  readonly phases: readonly JudgedPhase[];
  /** What was not clean at the end. */
  readonly closing: readonly string[];
};

const quietName = "quiet";
const briefQuietSeconds = 3;
const recoveryPatienceMs = 60_000;

export async function runHostile(options: HostileOptions): Promise<HostileOutcome> {
  const { attacks, seconds, together, nice = 0, tell = () => {} } = options;
  const quietSeconds = Math.min(seconds, options.quietSecondsMax ?? briefQuietSeconds);
  const world = await HostileWorld.start(options);
  let closing: readonly string[] = [];
  let outcome: Omit<HostileOutcome, "closing"> | undefined;
  try {
    const honest = new HonestParticipant(await world.honestClients());
    const judge = (figures: PhaseFigures, bounds: Partial<Bounds>, quietP99Ms?: number) => {
      const given = { ...defaultBounds, ...options.bounds, ...bounds };
      const phase = options.assertLatency ? quietP99Ms : undefined;
      const judged = { phase: figures, quietP99Ms: phase };
      const broken = brokenBounds(given, judged);
      const result = { ...figures, broken };
      tell(result);
      return result;
    };
    try {
      await honest.recovered(recoveryPatienceMs);
      const quiet = judge(
        await runPhase(world, honest, {
          name: quietName,
          attacks: [],
          seconds: quietSeconds,
          nice,
        }),
        {},
      );
      const phases: JudgedPhase[] = [];
      for (const group of groupsOf(attacks, together)) {
        // What the one before has left would count as this one's.
        await world.drained(recoveryPatienceMs);
        const figures = await runPhase(world, honest, { ...group, seconds, nice });
        phases.push(judge(figures, boundsOf(world, group.attacks), quiet.honest.p99Ms));
      }
      outcome = { quiet, phases };
    } finally {
      await honest.stop();
    }
  } finally {
    closing = await world.close();
  }
  return { ...defined(outcome, "a run that did not throw has phases"), closing };
}

type Group = { readonly name: string; readonly attacks: readonly Attack[] };

function groupsOf(attacks: readonly Attack[], together: boolean): readonly Group[] {
  const apart = attacks.filter(({ stops }) => !together || stops !== undefined);
  const joint = attacks.filter((attack) => !apart.includes(attack));
  const groups = apart.map((attack) => ({ name: attack.name, attacks: [attack] }));
  return joint.length === 0 ? groups : [{ name: "all at once", attacks: joint }, ...groups];
}

/**
 * Of one attack, what it says itself. All of them together may make a manager hold what it states
 * as its bound, which one alone is far below.
 */
function boundsOf({ consortium }: HostileWorld, attacks: readonly Attack[]): Partial<Bounds> {
  const [first, ...others] = attacks;
  if (others.length === 0) return first?.bounds ?? {};
  const managers = consortium.nodes.flatMap(({ config }) =>
    config.role === "manager" ? [config.limits] : [],
  );
  const [limits] = managers;
  if (limits === undefined) return {};
  const { policy } = consortium.genesis;
  const server = rpcLimitsOf(limits, limits.connectionsMax ?? 8_192);
  return { residentBytesMax: memoryBound({ policy, limits, server, managers: managers.length }) };
}

async function runPhase(
  world: HostileWorld,
  honest: HonestParticipant,
  phase: Group & { readonly seconds: number; readonly nice: number },
): Promise<PhaseFigures> {
  const { name, attacks } = phase;
  const seconds = Math.max(phase.seconds, ...attacks.map(({ secondsMin = 0 }) => secondsMin));
  const standing = await world.standing();
  world.takeExits();
  const watch = new Watch(world.consortium.nodes);
  const sinceMs = performance.now();
  await world.stop(attacks.flatMap(({ stops = [] }) => stops));
  const before = { own: process.cpuUsage(), machineMs: machineMs() };
  const attackers = new Attackers(world.consortium.directory, attacks, phase.nice);
  await sleep(seconds * 1000);
  const figures = honest.figures(sinceMs);
  const attackersMs = attackers.processorMs;
  const own = process.cpuUsage(before.own);
  const machine = machineMs() - before.machineMs;
  const tallies = await attackers.stop();
  const exits = world.takeExits();
  await world.revive();
  const recoveryMs = await honest.recovered(recoveryPatienceMs);
  const nodes = await watch.stop();
  const elapsed = (performance.now() - sinceMs) / 1000;
  const after = await world.standing();
  const suspended = (after?.suspensions ?? []).slice(standing?.suspensions.length ?? 0);
  return {
    name,
    seconds: elapsed,
    nodes,
    exits,
    honest: figures,
    attackersMs,
    honestMs: (own.user + own.system) / 1_000,
    machineMs: machine,
    tallies,
    blocks: (after?.height ?? 0) - (standing?.height ?? 0),
    emptyBlocks: await world.emptyBlocksAfter(standing?.height ?? 0),
    suspended: suspended.filter((id) => id !== compromised.manager),
    ...(recoveryMs !== undefined && { recoveryMs }),
    violations: [
      ...Object.values(tallies).flatMap(({ violations = [] }) => violations),
      ...(recoveryMs === undefined ? ["the honest participant was not served again"] : []),
      ...(after === undefined ? ["no manager says where the ledger stands"] : []),
    ],
  };
}
