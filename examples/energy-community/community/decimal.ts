/**
 * Decimal numbers as the CSV files write them, without loss. A float would turn 0.1 kWh into
 * something else, and the sums over half a year would depend on the order of the additions; here a
 * sum of cells is exactly the sum of their text.
 */

/** digits × 10^−scale. */
export type Decimal = {
  readonly digits: bigint;
  /** Decimal places, not negative. */
  readonly scale: number;
};

export const zero: Decimal = { digits: 0n, scale: 0 };

/** The longest text and the largest exponent of either sign; every double fits. */
const textLengthMax = 400;
const exponentMax = 400;

const pattern = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

/**
 * Reads "12", "0.5", "9.7529096e-08". Undefined for everything else, such as "", "NaN", "1,5" or
 * " 1".
 */
export function parseDecimal(text: string): Decimal | undefined {
  const match = text.length <= textLengthMax ? pattern.exec(text) : null;
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", exponentText = "0"] = match;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > exponentMax) return undefined;
  const unsigned = BigInt(whole + fraction);
  const digits = sign === "-" ? -unsigned : unsigned;
  const scale = fraction.length - exponent;
  return scale >= 0 ? { digits, scale } : { digits: digits * powerOfTen(-scale), scale: 0 };
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: digitsAt(a, scale) + digitsAt(b, scale), scale };
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, scale: a.scale + b.scale };
}

export function subtractInteger(a: Decimal, integer: bigint): Decimal {
  return { digits: a.digits - integer * powerOfTen(a.scale), scale: a.scale };
}

export function isNegative({ digits }: Decimal): boolean {
  return digits < 0n;
}

export function isAbove(a: Decimal, integer: number): boolean {
  return a.digits > BigInt(integer) * powerOfTen(a.scale);
}

/** The nearest integer; halves go up, so that a growing sum never rounds to a smaller integer. */
export function round({ digits, scale }: Decimal): bigint {
  const one = powerOfTen(scale);
  return floorDivide(2n * digits + one, 2n * one);
}

function digitsAt({ digits, scale }: Decimal, wanted: number): bigint {
  return digits * powerOfTen(wanted - scale);
}

/** BigInt division drops the fraction, which is not the floor below zero. */
function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < 0n && quotient * divisor !== dividend ? quotient - 1n : quotient;
}

function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}
