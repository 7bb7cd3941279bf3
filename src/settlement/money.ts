/**
 * Exact money. Wh times millionths of the currency per kWh are billionths of the currency, so all
 * products and sums are whole numbers. Each amount of a printed line is rounded once, to minor
 * units of the currency, half to even: over many lines that favours nobody.
 */

/** Digits behind the point of what Wh times millionths per kWh gives. */
const exactDigits = 9;

/** A sum of Wh times price; `per` is what all prices in it were multiplied by. */
export type ExactAmount = { readonly sum: bigint; readonly per: bigint };

/** The nearest whole number of minor units, of which a currency has `10 ** digits`. */
export function roundedAmount({ sum, per }: ExactAmount, digits: number): bigint {
  return roundHalfToEven(sum, per * 10n ** BigInt(exactDigits - digits));
}

/** numerator / denominator (> 0), to the nearest whole number, and to the even one of two. */
export function roundHalfToEven(numerator: bigint, denominator: bigint): bigint {
  let floor = numerator / denominator;
  if (numerator % denominator < 0n) floor -= 1n;
  const twice = 2n * (numerator - floor * denominator);
  if (twice > denominator || (twice === denominator && floor % 2n !== 0n)) return floor + 1n;
  return floor;
}

/** "-12.05" of -1205 minor units with two digits. */
export function moneyText(minorUnits: number | bigint, digits: number): string {
  const units = BigInt(minorUnits);
  const text = String(units < 0n ? -units : units).padStart(digits + 1, "0");
  const sign = units < 0n ? "-" : "";
  if (digits === 0) return `${sign}${text}`;
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
