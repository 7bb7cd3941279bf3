/**
 * The schedule of faults, drawn from a seed: a deck with every kind of fault is shuffled and dealt,
 * again and again, until time is up. So each kind strikes once before any strikes twice.
 *
 * At most f managers are struck at once, but for the kinds that say otherwise. A phase ends with
 * healing and recovery, so faults do not pile up.
 */
import { Random } from "../simulation/random.js";

export const faultKinds = [
  "kill-manager",
  "kill-storage",
  "kill-manager-and-storage",
  "kill-two-managers",
  "kill-all",
  "flap-manager",
  "flap-storage",
  "wipe-manager",
  "wipe-storage",
  "pause-manager",
  "pause-storage",
  "restart-manager",
  "restart-storage",
  "cut-manager",
  "cut-storage",
  "silence-manager",
  "deafen-manager",
  "mute-manager",
  "delay-manager",
  "reset-connections",
  "split-managers",
  "fill-disk-of-manager",
  "fill-disk-of-storage",
  "move-clock",
  "upgrade-all",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** With these struck a quorum may be missing, and nothing has to become final until they heal. */
export const beyondTolerance: ReadonlySet<FaultKind> = new Set([
  "kill-two-managers",
  "kill-all",
  "split-managers",
]);

/** Nothing that the targets say reaches anybody while these last. */
export const takesAway: ReadonlySet<FaultKind> = new Set([
  "kill-manager",
  "kill-manager-and-storage",
  "wipe-manager",
  "pause-manager",
  "silence-manager",
  "mute-manager",
]);

export type Phase = {
  readonly kind: FaultKind;
  /** The nodes that are struck. */
  readonly targets: readonly string[];
  /** From the strike until healing begins; striking may take longer. */
  readonly holdMs: number;
  /** How hard, in [0, 1): what it means is up to the fault. */
  readonly strength: number;
  /** Quiet time after recovery. */
  readonly calmMs: number;
};

export type PlanOptions = {
  readonly seed: number;
  readonly managers: readonly string[];
  readonly storage: readonly string[];
  /** All when left out. */
  readonly kinds?: readonly FaultKind[];
  /** Longest pause and longest other fault, ms. */
  readonly pauseMaxMs?: number;
  readonly holdMaxMs?: number;
};

const pauseMinMs = 1_000;
const holdMinMs = 2_000;

/** Phases without end; the same options always give the same ones. */
export function* planPhases(options: PlanOptions): Generator<Phase, never, undefined> {
  const { seed, kinds = faultKinds, pauseMaxMs = 20_000, holdMaxMs = 20_000 } = options;
  const random = new Random(seed);
  for (;;) {
    for (const kind of random.shuffled(kinds)) {
      const [min, max] = kind.startsWith("pause-")
        ? [pauseMinMs, pauseMaxMs]
        : [holdMinMs, holdMaxMs];
      yield {
        kind,
        targets: targetsOf(kind, options, random),
        holdMs: Math.round(random.between(min, max)),
        strength: random.unit(),
        calmMs: Math.round(random.between(500, 2_000)),
      };
    }
  }
}

function targetsOf(kind: FaultKind, options: PlanOptions, random: Random): readonly string[] {
  const { managers, storage } = options;
  switch (kind) {
    case "kill-all":
    case "upgrade-all":
      return [...managers, ...storage];
    case "reset-connections":
      return managers;
    case "kill-two-managers":
    case "split-managers":
      return random.shuffled(managers).slice(0, Math.floor(managers.length / 2));
    case "kill-manager-and-storage":
      return [...oneThird(managers, random), random.pick(storage)];
    case "kill-storage":
    case "flap-storage":
    case "wipe-storage":
    case "pause-storage":
    case "restart-storage":
    case "cut-storage":
    case "fill-disk-of-storage":
      return [random.pick(storage)];
    default:
      return oneThird(managers, random);
  }
}

/** As many as may fail. */
function oneThird(managers: readonly string[], random: Random): readonly string[] {
  return random.shuffled(managers).slice(0, Math.floor((managers.length - 1) / 3));
}
