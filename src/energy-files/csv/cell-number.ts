/** Numbers of CSV cells, exactly: no cell passes through binary floating point. */
import type { ExactWh } from "../file-values.js";

/** amount / per; both integers, per > 0. */
export type ExactNumber = { readonly amount: bigint; readonly per: bigint };

/** W and its multiples are averages over the interval. */
export const energyUnits = ["Wh", "kWh", "MWh", "W", "kW", "MW"] as const;
export type EnergyUnit = (typeof energyUnits)[number];

const digitsMax = 40;
const exponentMax = 40;

/** "-1.25", "9.75e-08"; undefined for what is no number, or has separators between thousands. */
export function exactNumber(text: string, decimalMark: "." | ","): ExactNumber | undefined {
  const plain = decimalMark === "," ? text.replace(/[.,]/g, swapMark) : text;
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$/.exec(plain);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  if (digits === "" || digits.length > digitsMax) return undefined;
  const shift = Number(exponent) - fraction.length;
  if (Math.abs(Number(exponent)) > exponentMax) return undefined;
  const value = sign === "-" ? -BigInt(digits) : BigInt(digits);
  if (shift >= 0) return { amount: value * 10n ** BigInt(shift), per: 1n };
  return { amount: value, per: 10n ** BigInt(-shift) };
}

export function product(a: ExactNumber, b: ExactNumber): ExactNumber {
  return { amount: a.amount * b.amount, per: a.per * b.per };
}

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

function swapMark(mark: string): string {
  return mark === "," ? "." : ",";
}
