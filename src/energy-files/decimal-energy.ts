import type { ExactWh } from "./file-values.js";

/**
 * The energy that a decimal number means ("12.5", "-3", ".75") in a unit of 10^`tenPower` Wh, with
 * nothing rounded; undefined for any other text, and for numbers of more digits than meters have.
 */
export function decimalEnergy(text: string, tenPower: number): ExactWh | undefined {
  const match = /^([+-]?)(?=\.?\d)(\d{0,18})(?:\.(\d{0,12}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  const digits = BigInt(whole + fraction);
  const amount = sign === "-" ? -digits : digits;
  const exponent = tenPower - fraction.length;
  if (exponent < 0) return { amount, perWh: 10n ** BigInt(-exponent) };
  return { amount: amount * 10n ** BigInt(exponent), perWh: 1n };
}
