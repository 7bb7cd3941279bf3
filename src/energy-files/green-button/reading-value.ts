/** What one IntervalReading says, given what its MeterReading is of; or what is wrong with it. */
import { decimalEnergy } from "../exact-number.js";
import type { FileProblem, IntervalValue, RegisterValue } from "../file-values.js";
import type { Reading } from "./entry.js";
import { parseQualities } from "./reading-quality.js";
import type { Measured } from "./reading-type.js";

/** The readings of one MeterReading. */
export type Series = { readonly meterName: string; readonly measured: Measured };

const durationMaxS = 366 * 86_400;
/** The year 2200. */
const timeMaxS = 7_258_118_400;

export function readingValue(
  { meterName, measured }: Series,
  { line, start = "", duration, value = "", qualities }: Reading,
): IntervalValue | RegisterValue | FileProblem {
  const problem = (column: string, message: string): FileProblem => {
    return { kind: "problem", place: { line, column }, meterName, message };
  };
  const place = { line, column: "IntervalReading" };
  const { direction } = measured;
  const startS = seconds(start, timeMaxS);
  if (startS === undefined) return problem("start", `${shown(start)} is no Unix time in seconds`);
  const energy = decimalEnergy(value, measured.tenPower);
  if (energy === undefined) return problem("value", `${shown(value)} is no number`);
  if (energy.amount < 0n) return problem("value", `${shown(value)} is negative`);
  if (measured.of === "register") {
    if (duration === undefined || duration === "0") {
      return { kind: "register", place, meterName, direction, atS: startS, energy };
    }
    return problem("duration", "a register shows a value at a moment, which has no duration");
  }
  const quality = qualities.length === 0 ? measured.quality : parseQualities(qualities);
  if (quality === undefined) {
    return problem("quality", `${shown(qualities.join(", "))} is no quality of ESPI`);
  }
  const intervalS = duration === undefined ? measured.intervalS : seconds(duration, durationMaxS);
  if (intervalS === undefined || intervalS === 0) {
    return problem("duration", `${shown(duration ?? "")} is no duration in seconds`);
  }
  return { kind: "value", place, meterName, direction, startS, intervalS, energy, quality };
}

function seconds(text: string, max: number): number | undefined {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value <= max ? value : undefined;
}

function shown(text: string): string {
  return text === "" ? "an empty or missing element" : `"${text}"`;
}
