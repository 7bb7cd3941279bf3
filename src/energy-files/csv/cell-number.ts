/** What numbers of CSV cells mean in their unit, and why a cell is none. */
import { type ExactNumber, exactNumber } from "../exact-number.js";
import type { ExactWh } from "../file-values.js";

/** W and its multiples are averages over the interval. */
export const energyUnits = ["Wh", "kWh", "MWh", "W", "kW", "MW"] as const;
export type EnergyUnit = (typeof energyUnits)[number];

/** What a number means in its unit; power is an average over the interval. */
export function energyOf(number: ExactNumber, unit: EnergyUnit, intervalS: number): ExactWh {
  const { factor, isPower } = units[unit];
  if (!isPower) return { amount: number.amount * factor, perWh: number.per };
  return { amount: number.amount * factor * BigInt(intervalS), perWh: number.per * 3600n };
}

/** Why a text is no number, as half a sentence. */
export function whyNoNumber(text: string, decimalMark: "." | ","): string {
  if (/^[+-]?\d{1,3}([.,' \u00a0\u202f])\d{3}(\1\d{3})*([.,]\d+)?$/.test(text)) {
    return "write it without separators between thousands";
  }
  const other = decimalMark === "," ? "." : ",";
  if (exactNumber(text, other) !== undefined) {
    return `its decimal mark is ${JSON.stringify(other)}, and ${JSON.stringify(decimalMark)} is expected`;
  }
  return "if such cells mean that there is no value, name them as absent";
}

const units: Readonly<Record<EnergyUnit, { readonly factor: bigint; readonly isPower: boolean }>> =
  {
    Wh: { factor: 1n, isPower: false },
    kWh: { factor: 1_000n, isPower: false },
    MWh: { factor: 1_000_000n, isPower: false },
    W: { factor: 1n, isPower: true },
    kW: { factor: 1_000n, isPower: true },
    MW: { factor: 1_000_000n, isPower: true },
  };
