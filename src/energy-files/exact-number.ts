/** Numbers of files, exactly: none passes through binary floating point. */
import type { ExactWh } from "./file-values.js";

/** amount / per; both integers, per > 0. */
export type ExactNumber = { readonly amount: bigint; readonly per: bigint };

/** More than any meter or spreadsheet shows. */
const digitsMax = 40;
const exponentMax = 40;

/** "-1.25", "9.75e-08"; undefined for what is no number, or has separators between thousands. */
export function exactNumber(text: string, decimalMark: "." | ","): ExactNumber | undefined {
  return timesTenTo(0, decimalMark === "," ? text.replace(/[.,]/g, swapMark) : text);
}

/** The energy that a number's text means in a unit of 10^`tenPower` Wh; undefined as above. */
export function decimalEnergy(text: string, tenPower: number): ExactWh | undefined {
  const number = timesTenTo(tenPower, text);
  return number && { amount: number.amount, perWh: number.per };
}

export function product(a: ExactNumber, b: ExactNumber): ExactNumber {
  return { amount: a.amount * b.amount, per: a.per * b.per };
}

function timesTenTo(tenPower: number, text: string): ExactNumber | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  if (digits === "" || digits.length > digitsMax) return undefined;
  if (Math.abs(Number(exponent)) > exponentMax) return undefined;
  const amount = sign === "-" ? -BigInt(digits) : BigInt(digits);
  const power = tenPower + Number(exponent) - fraction.length;
  return power < 0 ? { amount, per: tenTo(-power) } : { amount: amount * tenTo(power), per: one };
}

/** A number of its own for each value would be a third of what a file's values take in memory. */
const one = 1n;
const tens = Array.from({ length: 2 * exponentMax }, (_, power) => 10n ** BigInt(power));

function tenTo(power: number): bigint {
  return tens[power] ?? 10n ** BigInt(power);
}

function swapMark(mark: string): string {
  return mark === "," ? "." : ",";
}
