/** What the register of a charging station showed, in the meter values of OCPP 1.6 and 2.0.1. */

import { z } from "zod";
import { decimalEnergy } from "../exact-number.js";
import type { ExactWh, FileProblem, Place } from "../file-values.js";
import { within } from "./charging-session.js";
import { optionalText, text } from "./json-fields.js";

const sampledValue = z.object({
  /** Longer than a number where it is signed data. */
  value: z.string().max(100_000),
  context: optionalText,
  format: optionalText,
  measurand: optionalText,
  phase: optionalText,
  location: optionalText,
  /** 1.6 */
  unit: optionalText,
  /** 2.0.1 */
  unitOfMeasure: z.object({ unit: optionalText, multiplier: optionalText }).nullish(),
});

export const meterValues = z
  .array(z.object({ timestamp: text, sampledValue: z.array(sampledValue).max(1000) }))
  .max(10_000)
  .nullish();

type MeterValues = z.infer<typeof meterValues>;
type SampledValue = z.infer<typeof sampledValue>;

export type Register = {
  readonly energy: ExactWh;
  /** Whether it was read for the begin or the end of the transaction. */
  readonly context: "begin" | "end" | "other";
};

/** The import register's values, in their order; and those that cannot be read. */
export function registersOf(values: MeterValues, field: string, place: Place) {
  const registers: Register[] = [];
  const problems: FileProblem[] = [];
  for (const [index, { sampledValue: samples }] of (values ?? []).entries()) {
    for (const [sampleIndex, sample] of samples.entries()) {
      if (!isRegister(sample)) continue;
      const energy = energyOfSample(sample);
      if (energy !== undefined) {
        registers.push({ energy, context: contextOf(sample) });
        continue;
      }
      const at = within(place, `${field}[${index}].sampledValue[${sampleIndex}]`);
      const shown = JSON.stringify(sample.value.slice(0, 40));
      const message = `${shown} with its unit is no amount of energy`;
      problems.push({ kind: "problem", place: at, message });
    }
  }
  return { registers, problems };
}

/** Registers of single phases, and of the grid's side of the station, are others. */
function isRegister({ measurand, phase, location, format }: SampledValue): boolean {
  return (
    (measurand ?? "Energy.Active.Import.Register") === "Energy.Active.Import.Register" &&
    (phase ?? "") === "" &&
    (location ?? "Outlet") === "Outlet" &&
    format !== "SignedData"
  );
}

const powerOfUnit = new Map([
  ["Wh", 0],
  ["kWh", 3],
  ["MWh", 6],
]);

function energyOfSample({ value, unit, unitOfMeasure }: SampledValue): ExactWh | undefined {
  const power = powerOfUnit.get(unitOfMeasure?.unit ?? unit ?? "Wh");
  const multiplier = unitOfMeasure?.multiplier ?? "0";
  if (power === undefined || !/^-?\d$/.test(multiplier)) return undefined;
  return decimalEnergy(value.trim(), power + Number(multiplier));
}

function contextOf({ context }: SampledValue): Register["context"] {
  if (context === "Transaction.Begin") return "begin";
  return context === "Transaction.End" ? "end" : "other";
}
