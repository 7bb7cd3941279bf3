/**
 * Exact amounts of energy. Files give kWh with many decimals, or kW over five minutes; the ledger
 * counts whole Wh. Nothing is rounded before it has to be, and then what rounding took or gave is
 * carried on.
 */
import type { ExactWh } from "./file-values.js";

export const zeroWh: ExactWh = { amount: 0n, perWh: 1n };

export function addWh(a: ExactWh, b: ExactWh): ExactWh {
  if (a.perWh === b.perWh) return { amount: a.amount + b.amount, perWh: a.perWh };
  const perWh = (a.perWh / gcd(a.perWh, b.perWh)) * b.perWh;
  const amount = a.amount * (perWh / a.perWh) + b.amount * (perWh / b.perWh);
  return { amount, perWh };
}

/** `a` less `b`. */
export function lessWh(a: ExactWh, b: ExactWh): ExactWh {
  return addWh(a, { amount: -b.amount, perWh: b.perWh });
}

export function isLessWh(a: ExactWh, b: ExactWh): boolean {
  return lessWh(a, b).amount < 0n;
}

/** Whether it is more than so many whole Wh. */
export function isAboveWh({ amount, perWh }: ExactWh, wh: bigint): boolean {
  return amount > wh * perWh;
}

/** The nearest whole Wh; a half goes up. */
export function roundedWh({ amount, perWh }: ExactWh): bigint {
  return floorDiv(2n * amount + perWh, 2n * perWh);
}

/** "12345.6 Wh", for people: cut after six decimals. */
export function whText({ amount, perWh }: ExactWh): string {
  const millionths = (amount * 1_000_000n) / perWh;
  const [sign, size] = millionths < 0n ? ["-", -millionths] : ["", millionths];
  const digits = size.toString().padStart(7, "0");
  const fraction = digits.slice(-6).replace(/0+$/, "");
  return `${sign}${digits.slice(0, -6)}${fraction === "" ? "" : `.${fraction}`} Wh`;
}

/**
 * Rounds one value after the other so that, at any time, the sum of what came out is the rounded
 * sum of what went in. Each result is one of the two whole numbers around its value.
 */
export class CarriedRounding {
  /** What went in less what came out: at least -1/2 Wh, less than 1/2 Wh. */
  #remainder = zeroWh;

  /** `value` is not negative. */
  next(value: ExactWh): bigint {
    const due = addWh(this.#remainder, value);
    const rounded = roundedWh(due);
    this.#remainder = { amount: due.amount - rounded * due.perWh, perWh: due.perWh };
    return rounded;
  }
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
