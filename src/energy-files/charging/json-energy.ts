/** Amounts of energy as JSON has them, exactly, and sums of them. */
import type { ExactWh } from "../file-values.js";

/**
 * The energy that a number's text means in a unit of 10^`tenPower` Wh; undefined for any other
 * text, and for numbers of more digits than meters have.
 */
export function energyOf(text: string, tenPower: number): ExactWh | undefined {
  const match = /^(-?)(\d{1,18})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = BigInt(whole + fraction);
  const amount = sign === "-" ? -digits : digits;
  const power = tenPower + Number(exponent) - fraction.length;
  if (power < 0) return { amount, perWh: 10n ** BigInt(-power) };
  return { amount: amount * 10n ** BigInt(power), perWh: 1n };
}

/** `a` less `b`. */
export function difference(a: ExactWh, b: ExactWh): ExactWh {
  return { amount: a.amount * b.perWh - b.amount * a.perWh, perWh: a.perWh * b.perWh };
}

export function isLess(a: ExactWh, b: ExactWh): boolean {
  return difference(a, b).amount < 0n;
}

/** Registers are shown in kWh with one decimal at least, and so differ by less than that. */
const shownWh: ExactWh = { amount: 100n, perWh: 1n };

/** Whether `a` is less than `b` by more than comes of how registers are shown. */
export function isClearlyLess(a: ExactWh, b: ExactWh): boolean {
  return isLess(shownWh, difference(b, a));
}

/** "12345.6 Wh", to a millionth, for people. */
export function energyText({ amount, perWh }: ExactWh): string {
  const millionths = (amount * 1_000_000n) / perWh;
  const [sign, size] = millionths < 0n ? ["-", -millionths] : ["", millionths];
  const digits = size.toString().padStart(7, "0");
  const fraction = digits.slice(-6).replace(/0+$/, "");
  return `${sign}${digits.slice(0, -6)}${fraction === "" ? "" : `.${fraction}`} Wh`;
}
