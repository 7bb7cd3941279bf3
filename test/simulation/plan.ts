/**
 * What a seed makes of a simulation: the size of the consortium, the network, the faults. Not every
 * fault is there in every run: a run in which everything fails all the time explores little.
 */
import type { Random } from "./random.js";
import type { SignatureScheme } from "./signatures.js";

export type NetworkPlan = {
  readonly delayMinMs: number;
  /** Mean of the exponential part of a delay. */
  readonly delayMeanMs: number;
  readonly delayMaxMs: number;
  readonly dropChance: number;
  readonly duplicateChance: number;
  /** Chance that with a message an old one is delivered again, to anybody. */
  readonly replayChance: number;
};

export type FaultPlan = {
  /** Mean time between crashes of managers; undefined for none. */
  readonly managerCrashEveryMs?: number;
  readonly storageCrashEveryMs?: number;
  /** Mean time between crashes of all managers at once. */
  readonly blackoutEveryMs?: number;
  readonly downMaxMs: number;
  /** Chance that a write to a disk ends in a crash. */
  readonly diskCrashChance: number;
  readonly partitionEveryMs?: number;
  readonly partitionMaxMs: number;
  /** Mean time between lags: some kinds of messages to some nodes are held back. */
  readonly lagEveryMs?: number;
  readonly lagMaxMs: number;
  /** Wall clocks are off by up to this, less than what a block's time may lie ahead. */
  readonly clockSkewMs: number;
  /** One manager's wall clock is off by this, more than that. */
  readonly strayClockMs: number;
  /** Managers that break the rules, at most f. */
  readonly byzantineCount: number;
  /** Storage nodes that never answer. */
  readonly silentStorageCount: number;
  /** Storage nodes that attest what is not so. */
  readonly lyingStorageCount: number;
};

export type Plan = {
  readonly seed: number;
  readonly managersCount: number;
  readonly storageCount: number;
  readonly signatures: SignatureScheme["kind"];
  /** Every manager checks every block itself, rather than sharing the result of the first one. */
  readonly judgeAlone: boolean;
  /** Messages between managers go over the wire as bytes, rather than as one object for all. */
  readonly encodes: boolean;
  readonly network: NetworkPlan;
  readonly faults: FaultPlan;
  /** Faults happen until then; afterwards the network is good and everybody is up. */
  readonly faultsUntilMs: number;
  /** Submissions come until then. */
  readonly workloadUntilMs: number;
  readonly submissionEveryMs: number;
  readonly resendMs: number;
  readonly sabotage?: Sabotage;
};

export type PlanOptions = {
  readonly seed: number;
  readonly managersCount?: number;
  readonly storageCount?: number;
  /** Nothing goes wrong. */
  readonly calm?: boolean;
  /** The managers' software is wrong; the checkers must find it out. */
  readonly sabotage?: Sabotage;
};

export type Sabotage = "sends before it saves" | "forgets its votes in a crash";

const managersCounts = [1, 2, 3, 4, 4, 4, 5, 6, 7, 7];

export function planOf(options: PlanOptions, random: Random): Plan {
  const managersCount = options.managersCount ?? random.pick(managersCounts);
  const storageCount = options.storageCount ?? 1 + random.below(7);
  const faultsMax = Math.floor((managersCount - 1) / 3);
  const faultsUntilMs = random.between(1_000, 5_000);
  const network = networkPlan(random);
  const faults = faultPlan(random, faultsMax, storageCount);
  return {
    seed: options.seed,
    managersCount,
    storageCount,
    signatures: random.chance(0.04) ? "real" : "fake",
    judgeAlone: random.chance(0.1),
    encodes: random.chance(0.1),
    network: options.calm === true ? calmNetwork : network,
    faults: options.calm === true ? noFaults : faults,
    faultsUntilMs,
    workloadUntilMs: faultsUntilMs + 300,
    submissionEveryMs: random.between(20, 150),
    resendMs: random.pick([100, 200, 400]),
    ...(options.sabotage === undefined ? {} : { sabotage: options.sabotage }),
  };
}

const calmNetwork: NetworkPlan = {
  delayMinMs: 0.5,
  delayMeanMs: 0.5,
  delayMaxMs: 5,
  dropChance: 0,
  duplicateChance: 0,
  replayChance: 0,
};

const noFaults: FaultPlan = {
  downMaxMs: 0,
  diskCrashChance: 0,
  partitionMaxMs: 0,
  lagMaxMs: 0,
  clockSkewMs: 0,
  strayClockMs: 0,
  byzantineCount: 0,
  silentStorageCount: 0,
  lyingStorageCount: 0,
};

function networkPlan(random: Random): NetworkPlan {
  const delayMeanMs = random.pick([1, 1, 2, 4, 8, 20, 60]);
  return {
    delayMinMs: random.pick([0.2, 1, 5]),
    delayMeanMs,
    delayMaxMs: delayMeanMs * 20,
    dropChance: random.pick([0, 0, 0.01, 0.05, 0.15]),
    duplicateChance: random.pick([0, 0.02, 0.1]),
    replayChance: random.pick([0, 0, 0.02, 0.05]),
  };
}

function faultPlan(random: Random, faultsMax: number, storageCount: number): FaultPlan {
  // More than two thirds of a committee must answer: of few nodes, none may be at fault.
  const idleMax = Math.ceil((2 * storageCount) / 9) - 1;
  const lyingStorageCount = random.chance(0.3) ? idleMax : 0;
  return {
    ...(random.chance(0.6) ? { managerCrashEveryMs: random.pick([300, 800, 2_000]) } : {}),
    ...(random.chance(0.4) ? { storageCrashEveryMs: random.pick([300, 1_000]) } : {}),
    ...(random.chance(0.2) ? { blackoutEveryMs: random.pick([300, 1_000]) } : {}),
    downMaxMs: random.pick([50, 300, 1_500]),
    diskCrashChance: random.chance(0.5) ? random.pick([0.002, 0.01, 0.03]) : 0,
    ...(random.chance(0.5) ? { partitionEveryMs: random.pick([300, 1_000]) } : {}),
    partitionMaxMs: random.pick([100, 500, 1_500]),
    ...(random.chance(0.5) ? { lagEveryMs: random.pick([50, 200]) } : {}),
    lagMaxMs: random.pick([60, 200, 500]),
    clockSkewMs: random.pick([0, 50, 500]),
    strayClockMs: random.pick([0, 0, 0, -5_000, 5_000]),
    byzantineCount: faultsMax > 0 && random.chance(0.5) ? 1 + random.below(faultsMax) : 0,
    silentStorageCount: random.chance(0.5) ? idleMax - lyingStorageCount : 0,
    lyingStorageCount,
  };
}
