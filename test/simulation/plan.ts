/**
 * What a seed makes of a simulation: the size of the consortium, its policy, the network, the
 * faults. Not every fault is there in every run: a run in which everything fails all the time
 * explores little.
 */
import { linksMin } from "../../src/consensus/attestation/links.js";
import { SuspensionMode } from "../../src/gen/bss/v1/genesis_pb.js";
import type { Habit } from "./byzantine/byzantine-manager.js";
import type { PolicyPlan } from "./consortium.js";
import type { NetworkOptions } from "./network/network.js";
import type { Random } from "./random.js";
import type { SignatureScheme } from "./signatures.js";

/** What a storage node that breaks the rules does, all the time. */
export const storageFaults = ["silent", "wrong root", "mismatch", "echo", "flapping"] as const;
export type StorageFault = (typeof storageFaults)[number];

export type FaultPlan = {
  /** Mean time between crashes of managers; undefined for none. */
  readonly managerCrashEveryMs?: number;
  readonly storageCrashEveryMs?: number;
  /** Mean time between crashes of all managers at once. */
  readonly blackoutEveryMs?: number;
  /** Mean time between orderly stops. */
  readonly stopEveryMs?: number;
  readonly downMaxMs: number;
  /** Chance that a write to a disk ends in a crash. */
  readonly diskCrashChance: number;
  readonly diskFullEveryMs?: number;
  readonly diskFullMaxMs: number;
  /** Chance that a call of a manager's signer is slow or fails. */
  readonly signerTroubleChance: number;
  readonly partitionEveryMs?: number;
  readonly partitionMaxMs: number;
  /** Mean time between resets of connections. */
  readonly resetEveryMs?: number;
  /** Wall clocks are off by up to this, less than what a block's time may lie ahead. */
  readonly clockSkewMs: number;
  /** One manager's wall clock is off by this, more than that. */
  readonly strayClockMs: number;
  /** Managers that break the rules. */
  readonly byzantineCount: number;
  /** What they do; up to the seed if undefined. */
  readonly habits?: readonly Habit[];
  /** Managers that never come back, besides those; together at most f. */
  readonly goneCount: number;
  /** One manager is away, and one goes for good before it is suspended. */
  readonly overlappingAbsences: boolean;
  /** Managers whose disk is put back to an old image, besides those. */
  readonly rolledBackCount: number;
  /** Storage nodes that never come back; one at least stays. */
  readonly goneStorageCount: number;
  /** One storage node each breaks the rules like this. */
  readonly badStorage: readonly StorageFault[];
};

export type DiskPlan = {
  readonly writeMs: number;
  readonly slowReads: { readonly chance: number; readonly maxMs: number };
};

export type Plan = {
  readonly seed: number;
  readonly managersCount: number;
  readonly storageCount: number;
  readonly signatures: SignatureScheme["kind"];
  /** Whether one manager sponsors more storage nodes than its share. */
  readonly packed: boolean;
  readonly policy: PolicyPlan;
  readonly network: NetworkOptions;
  readonly disk: DiskPlan;
  readonly faults: FaultPlan;
  readonly queueMessagesMax: number;
  /** Faults happen until then; afterwards the network is good and everybody is up. */
  readonly faultsUntilMs: number;
  readonly submissionEveryMs: number;
};

export type PlanOptions = {
  readonly seed: number;
  readonly managersCount?: number;
  readonly storageCount?: number;
  /** Nothing goes wrong. */
  readonly calm?: boolean;
  /** These, and no others, break the rules among storage nodes; records come all the time. */
  readonly badStorage?: readonly StorageFault[];
  /** So many storage nodes never come back; records come all the time. */
  readonly goneStorageCount?: number;
  /** One manager is away, and one goes for good before it is suspended; records come always. */
  readonly overlappingAbsences?: boolean;
  /** One manager does this, as long as the run lasts; records come all the time. */
  readonly habits?: readonly Habit[];
};

const managersCounts = [1, 2, 3, 4, 4, 4, 4, 5, 7];

export function planOf(options: PlanOptions, random: Random): Plan {
  const managersCount = options.managersCount ?? random.pick(managersCounts);
  const { badStorage, goneStorageCount, overlappingAbsences, habits } = options;
  const watched = [badStorage, goneStorageCount, overlappingAbsences, habits];
  const isWatched = watched.some((each) => each !== undefined);
  // In small consortiums no storage node can be at fault.
  const storageMin = random.chance(0.2) ? 8 : 1;
  const storageCount = options.storageCount ?? storageMin + random.below(7);
  const policy = { ...policyPlan(random), ...(isWatched ? watchfulPolicy : {}) };
  const network = networkPlan(random);
  const packed = random.chance(0.15);
  const eligibleCount = packed ? Math.ceil(storageCount / managersCount) : storageCount;
  const faults = faultPlan(random, { managersCount, storageCount: eligibleCount, policy });
  const calm = options.calm === true;
  return {
    seed: options.seed,
    managersCount,
    storageCount,
    policy,
    signatures: random.chance(0.03) ? "real" : "fake",
    packed,
    network: calm ? calmNetwork : network,
    disk: {
      writeMs: random.pick([0.1, 0.5, 0.5, 3]),
      slowReads: random.chance(0.3)
        ? { chance: random.pick([0.02, 0.2]), maxMs: random.pick([1, 20]) }
        : { chance: 0, maxMs: 0 },
    },
    faults: {
      ...(calm ? noFaults : faults),
      ...(badStorage && { badStorage }),
      ...(goneStorageCount !== undefined && { goneStorageCount }),
      ...(overlappingAbsences && { overlappingAbsences, downMaxMs: 6_000 }),
      ...(habits && { habits, byzantineCount: 1 }),
    },
    queueMessagesMax: random.pick([10_000, 10_000, 200]),
    faultsUntilMs: random.between(1_500, 5_000),
    submissionEveryMs: isWatched ? 100 : random.pick([60, 200, 500, 1_000]),
  };
}

/** What nodes do has consequences. */
const watchfulPolicy = {
  suspension: SuspensionMode.FLOOR,
  auditsPerBlock: 3,
  unreachableAfterMs: 1_000,
} as const;

const calmNetwork: NetworkOptions = {
  delayMinMs: 0.5,
  delayMeanMs: 0.5,
  delayMaxMs: 5,
  keepaliveMs: 5_000,
};

const noFaults: FaultPlan = {
  downMaxMs: 1,
  diskCrashChance: 0,
  diskFullMaxMs: 0,
  partitionMaxMs: 0,
  clockSkewMs: 0,
  strayClockMs: 0,
  byzantineCount: 0,
  goneCount: 0,
  overlappingAbsences: false,
  rolledBackCount: 0,
  goneStorageCount: 0,
  badStorage: [],
  signerTroubleChance: 0,
};

function policyPlan(random: Random): PolicyPlan {
  const suspendAfterMs = random.pick([150, 400, 1_000]);
  const resumeWaitMs = random.pick([100, 1_000]);
  return {
    suspension: random.chance(0.7) ? SuspensionMode.FLOOR : SuspensionMode.NEVER,
    suspendAfterMs,
    resumeWaitMs,
    resumeWaitMaxMs: resumeWaitMs * random.pick([1, 8]),
    patience: random.pick([1, 1, 4]),
    blockRecordsMax: random.pick([3, 12, 12]),
    heartbeatMs: random.pick([0, 0, 0, 700]),
    auditsPerBlock: random.pick([0, 1, 3, 8]),
    unreachableAfterMs: random.pick([0, 1_000, 2_000]),
  };
}

function networkPlan(random: Random): NetworkOptions {
  const delayMeanMs = random.pick([1, 1, 2, 4, 8, 20, 60]);
  const adverse = random.chance(0.25);
  return {
    delayMinMs: random.pick([0.2, 1, 5]),
    delayMeanMs,
    delayMaxMs: delayMeanMs * 20,
    keepaliveMs: random.pick([300, 1_000, 3_000]),
    ...(adverse
      ? {
          adversity: {
            dropChance: random.pick([0, 0.01, 0.08]),
            duplicateChance: random.pick([0, 0.02, 0.1]),
            reorderChance: random.pick([0, 0.05, 0.3]),
          },
        }
      : {}),
  };
}

function faultPlan(
  random: Random,
  { managersCount, storageCount, policy }: Pick<Plan, "managersCount" | "storageCount" | "policy">,
): FaultPlan {
  const faultsMax = Math.floor((managersCount - 1) / 3);
  const byzantineCount = random.chance(0.45) ? Math.min(faultsMax, 1 + random.below(2)) : 0;
  // Without suspension everybody has to be there in the end.
  const suspends = policy.suspension === SuspensionMode.FLOOR;
  const goneMax = suspends && random.chance(0.2) ? faultsMax - byzantineCount : 0;
  const goneCount = random.below(goneMax + 1);
  const rolledBackMax = random.chance(0.5) ? faultsMax - byzantineCount - goneCount : 0;
  // More than two thirds of a committee must answer: of few nodes, none may be at fault.
  const badStorageMax = Math.max(0, Math.ceil((2 * storageCount) / 9) - 1);
  const badStorageCount = random.chance(0.5) ? badStorageMax : 0;
  // Managers have to say who is gone, and of many managers a node knows some only. Who is gone is
  // no more in any committee, so of the others again none may be at fault.
  const mayLeave =
    policy.unreachableAfterMs > 0 && managersCount <= linksMin && badStorageCount === 0;
  const half = Math.floor(storageCount / 2);
  const goneStorageCount =
    mayLeave && random.chance(0.3) ? half + random.below(storageCount - half) : 0;
  const every = (chance: number, ...meansMs: readonly number[]) =>
    random.chance(chance) ? random.pick(meansMs) : undefined;
  return {
    ...optional({
      managerCrashEveryMs: every(0.5, 300, 800, 2_000),
      storageCrashEveryMs: every(0.3, 300, 1_000),
      blackoutEveryMs: every(0.15, 500, 1_500),
      stopEveryMs: every(0.2, 500, 1_500),
      diskFullEveryMs: every(0.15, 600, 2_000),
      partitionEveryMs: every(0.5, 200, 600, 1_500),
      resetEveryMs: every(0.3, 50, 300, 1_000),
    }),
    downMaxMs: random.pick([50, 300, 1_500]),
    diskCrashChance: random.chance(0.4) ? random.pick([0.002, 0.01, 0.03]) : 0,
    diskFullMaxMs: random.pick([200, 1_000]),
    signerTroubleChance: random.chance(0.2) ? random.pick([0.02, 0.1]) : 0,
    partitionMaxMs: random.pick([100, 600, 2_500]),
    clockSkewMs: random.pick([0, 10, 500]),
    strayClockMs: random.chance(0.1) ? random.pick([-4_000, 4_000]) : 0,
    byzantineCount,
    goneCount,
    overlappingAbsences: false,
    rolledBackCount: rolledBackMax === 0 ? 0 : 1 + random.below(rolledBackMax),
    goneStorageCount,
    badStorage: Array.from({ length: badStorageCount }, () => random.pick(storageFaults)),
  };
}

/** Without what is undefined. */
function optional<T extends Record<string, number | undefined>>(values: T) {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: number };
}
