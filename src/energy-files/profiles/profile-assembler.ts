/**
 * Puts the values of a file together into profiles: one for each meter and day (or month), both
 * directions together, always over the whole period, so that a later version of the same day fits
 * in its place.
 *
 * Values may come in any order as long as what is open has room in memory. When it has not, the
 * days of a meter go out for which a later day has begun; a value that comes back to a day that is
 * out is refused. Files in order of time need nothing else, and of files that go through one meter
 * after the other the caller tells where each meter ends.
 *
 * Whole Wh: the values of a meter and direction are rounded in order of time, each with the
 * remainder of the one before it. So the sum over the file is right to the Wh, and no value is off
 * by a whole one.
 */
import { CarriedRounding, isAboveWh, roundedWh, whText } from "../exact-wh.js";
import {
  type ExactWh,
  type FileProblem,
  FileUnreadable,
  type IntervalValue,
  type Place,
  type RegisterValue,
} from "../file-values.js";
import type { Period, Periods } from "./periods.js";

export type Profile = {
  readonly kind: "profile";
  /** Of its first value in the file. */
  readonly place: Place;
  readonly meterId: string;
  readonly period: Period;
  /** Unix s: the first start of an interval in the period. */
  readonly startS: number;
  readonly intervalS: number;
  /** One for each interval of the period; undefined for one without a value. */
  readonly values: readonly (ProfileValue | undefined)[];
  /** Those of which the file has values in the period. */
  readonly directions: readonly Direction[];
  readonly registerStart?: RegisterReading;
  readonly registerEnd?: RegisterReading;
};

export type ProfileValue = {
  /** Wh, below 2^32. */
  readonly importedWh: number;
  readonly exportedWh: number;
  readonly quality: Quality;
};

/** Wh. */
export type RegisterReading = { readonly importedWh: bigint; readonly exportedWh: bigint };

type Quality = IntervalValue["quality"];
type Direction = IntervalValue["direction"];
type Entry = ExactWh & { readonly quality: Quality; readonly line: number };

type OpenPeriod = {
  readonly place: Place;
  readonly period: Period;
  readonly startS: number;
  readonly intervalS: number;
  readonly imported: (Entry | undefined)[];
  readonly exported: (Entry | undefined)[];
  count: number;
};

type OpenMeter = {
  /** By the start of the period, Unix s. */
  readonly periods: Map<number, OpenPeriod>;
  /** Unix s: where the last period that went out ends. */
  closedS: number;
  /** Length and place of the intervals: the first value says them for all. */
  readonly intervalS: number;
  readonly phaseS: number;
  readonly rounding: Readonly<Record<Direction, CarriedRounding>>;
};

/** What registers showed, by time. */
type Registers = Map<number, Partial<Record<Direction, bigint>>>;

/** Values that are open at one time: some 100 bytes each. */
const openValuesMax = 2_000_000;
const registersMax = 1_000_000;
const valueWhMax = 2n ** 32n - 1n;
const directions = ["imported", "exported"] as const;
const worse: readonly Quality[] = ["measured", "estimated", "substituted"];

export class ProfileAssembler {
  readonly #periods: Periods;
  readonly #openValuesMax: number;
  readonly #meters = new Map<string, OpenMeter>();
  readonly #registers = new Map<string, Registers>();
  #openValues = 0;
  #registerCount = 0;

  constructor(periods: Periods, limits: { readonly openValuesMax?: number } = {}) {
    this.#periods = periods;
    this.#openValuesMax = limits.openValuesMax ?? openValuesMax;
  }

  /** Adds a value of a meter. Returns what goes out because of it; throws `FileUnreadable`. */
  add(meterId: string, value: IntervalValue): readonly (Profile | FileProblem)[] {
    const message = this.#put(meterId, value);
    if (message !== undefined) {
      return [{ kind: "problem", place: value.place, meterName: value.meterName, message }];
    }
    return this.#openValues > this.#openValuesMax ? this.#makeRoom() : [];
  }

  addRegister(meterId: string, { atS, direction, energy }: RegisterValue): void {
    if (this.#registerCount === registersMax) return;
    const registers: Registers = this.#registers.get(meterId) ?? new Map();
    this.#registers.set(meterId, registers);
    if (!registers.has(atS)) this.#registerCount += 1;
    registers.set(atS, { ...registers.get(atS), [direction]: roundedWh(energy) });
  }

  /** Nothing of this meter comes any more. */
  endOf(meterId: string): readonly (Profile | FileProblem)[] {
    const meter = this.#meters.get(meterId);
    if (meter === undefined) return [];
    const out = this.#close(meterId, meter, [...meter.periods.values()]);
    this.#meters.delete(meterId);
    this.#registerCount -= this.#registers.get(meterId)?.size ?? 0;
    this.#registers.delete(meterId);
    return out;
  }

  /** Nothing comes any more. */
  end(): readonly (Profile | FileProblem)[] {
    return [...this.#meters.keys()].flatMap((meterId) => this.endOf(meterId));
  }

  /** Why a value cannot be taken. */
  #put(meterId: string, value: IntervalValue): string | undefined {
    const { startS, intervalS, energy, direction, quality, place } = value;
    if (energy.amount < 0n) return `${whText(energy)} is negative`;
    if (isAboveWh(energy, valueWhMax)) {
      return `${whText(energy)} is more than an interval can have, ${valueWhMax} Wh`;
    }
    const meter = this.#meters.get(meterId) ?? openMeter(startS, intervalS);
    if (meter.intervalS !== intervalS) {
      return `has an interval of ${intervalS} s, others of the meter have ${meter.intervalS} s`;
    }
    if (startS % intervalS !== meter.phaseS) {
      return `overlaps others of the meter: its interval starts at ${timeText(startS)}`;
    }
    const period = this.#periods.of(startS);
    if (period.startS < meter.closedS) {
      return (
        `comes back to ${this.#periods.nameOf(period)}, which is complete; ` +
        "sort the file by meter, or by time"
      );
    }
    this.#meters.set(meterId, meter);
    const open = meter.periods.get(period.startS) ?? openPeriod(period, meter, place);
    meter.periods.set(period.startS, open);
    const slot = (startS - open.startS) / intervalS;
    const before = open[direction][slot];
    if (before !== undefined) {
      return `is a second value of the interval from ${timeText(startS)}, as line ${before.line} has one`;
    }
    const { amount, perWh } = energy;
    open[direction][slot] = { amount, perWh, quality, line: place.line };
    open.count += 1;
    this.#openValues += 1;
    return undefined;
  }

  /** All but the newest period of each meter go out. */
  #makeRoom(): readonly (Profile | FileProblem)[] {
    const out: (Profile | FileProblem)[] = [];
    for (const [meterId, meter] of this.#meters) {
      const newestS = Math.max(...meter.periods.keys());
      const older = [...meter.periods.values()].filter(({ period }) => period.startS < newestS);
      out.push(...this.#close(meterId, meter, older));
    }
    if (this.#openValues <= this.#openValuesMax) return out;
    throw new FileUnreadable(
      `more than ${this.#openValuesMax} values are of days that are not complete`,
      "sort the file by meter, or split it",
    );
  }

  #close(
    meterId: string,
    meter: OpenMeter,
    periods: readonly OpenPeriod[],
  ): readonly (Profile | FileProblem)[] {
    const registers = this.#registers.get(meterId);
    return periods
      .toSorted((a, b) => a.period.startS - b.period.startS)
      .flatMap((open) => {
        meter.periods.delete(open.period.startS);
        meter.closedS = open.period.endS;
        this.#openValues -= open.count;
        return profileOf(meterId, meter, open, registers);
      });
  }
}

function openMeter(startS: number, intervalS: number): OpenMeter {
  return {
    periods: new Map(),
    closedS: Number.NEGATIVE_INFINITY,
    intervalS,
    phaseS: startS % intervalS,
    rounding: { imported: new CarriedRounding(), exported: new CarriedRounding() },
  };
}

function openPeriod(period: Period, { intervalS, phaseS }: OpenMeter, place: Place): OpenPeriod {
  const into = (period.startS - phaseS) % intervalS;
  const startS = into === 0 ? period.startS : period.startS + intervalS - into;
  const slots = Math.ceil((period.endS - startS) / intervalS);
  const imported = new Array<Entry | undefined>(slots).fill(undefined);
  const exported = new Array<Entry | undefined>(slots).fill(undefined);
  return { place, period, startS, intervalS, imported, exported, count: 0 };
}

/** The profile, and the values that cannot be part of it. */
function profileOf(
  meterId: string,
  { rounding }: OpenMeter,
  open: OpenPeriod,
  registers: Registers | undefined,
): readonly (Profile | FileProblem)[] {
  const { place, period, startS, intervalS, imported, exported } = open;
  const has = {
    imported: imported.some((entry) => entry !== undefined),
    exported: exported.some((entry) => entry !== undefined),
  };
  const problems: FileProblem[] = [];
  const values = imported.map((importedEntry, slot): ProfileValue | undefined => {
    const exportedEntry = exported[slot];
    const only = importedEntry ?? exportedEntry;
    if (only === undefined) return undefined;
    const lacks = lackingDirection(importedEntry, exportedEntry, has);
    if (lacks !== undefined) {
      const from = timeText(startS + slot * intervalS);
      const message = `there is no ${lacks} value of the interval from ${from} beside this one`;
      problems.push({ kind: "problem", place: { line: only.line }, meterName: meterId, message });
      return undefined;
    }
    return {
      importedWh: importedEntry ? Number(rounding.imported.next(importedEntry)) : 0,
      exportedWh: exportedEntry ? Number(rounding.exported.next(exportedEntry)) : 0,
      quality: worseQuality(importedEntry?.quality, exportedEntry?.quality),
    };
  });
  if (values.every((value) => value === undefined)) return problems;
  const endS = startS + values.length * intervalS;
  const registerStart = registerAt(registers, startS, has);
  const registerEnd = registerAt(registers, endS, has);
  const profile: Profile = {
    kind: "profile",
    place,
    meterId,
    period,
    startS,
    intervalS,
    values,
    directions: directions.filter((direction) => has[direction]),
    ...(registerStart === undefined ? {} : { registerStart }),
    ...(registerEnd === undefined ? {} : { registerEnd }),
  };
  return [profile, ...problems];
}

/** Where a meter counts both directions, one that is missing is not zero: it is not known. */
function lackingDirection(
  imported: Entry | undefined,
  exported: Entry | undefined,
  has: Readonly<Record<Direction, boolean>>,
): Direction | undefined {
  if (imported === undefined && has.imported) return "imported";
  return exported === undefined && has.exported ? "exported" : undefined;
}

export function worseQuality(a: Quality = "measured", b: Quality = "measured"): Quality {
  return worse.indexOf(a) < worse.indexOf(b) ? b : a;
}

function registerAt(
  registers: Registers | undefined,
  atS: number,
  has: Readonly<Record<Direction, boolean>>,
): RegisterReading | undefined {
  const found = registers?.get(atS);
  if (found === undefined) return undefined;
  const { imported, exported } = found;
  if ((has.imported && imported === undefined) || (has.exported && exported === undefined)) {
    return undefined;
  }
  return { importedWh: imported ?? 0n, exportedWh: exported ?? 0n };
}

function timeText(unixS: number): string {
  return new Date(unixS * 1000).toISOString().replace(".000Z", "Z");
}
