/**
 * Figures with the range in which they may as well lie. A figure without its noise invites
 * conclusions that the next run takes back.
 *
 *     quantiles      order statistics: the ranks between which the true quantile lies (binomial)
 *     ratios         jackknife over slices of the time: processor time per record, records per s
 *
 * Ranges are of about 95 %, of one run. They do not hold what differs between runs, so a comparison
 * of two runs adds a floor (comparison.ts).
 */

import { quantile } from "../../src/cli/bench/schedule.js";

export { quantile };

/** `low` to `high` is the range; both are `value` if nothing is known about it. */
export type Estimate = {
  readonly value: number;
  readonly low: number;
  readonly high: number;
};

/** Standard deviations on each side. */
const normal95 = 1.96;
/** Student's t, two-sided 95 %, by degrees of freedom from 1; 1.96 beyond the list. */
const student95 = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23] as const;

/** A quantile with the values at the ranks between which the true one lies. */
export function quantileEstimate(sorted: readonly number[], share: number): Estimate {
  const n = sorted.length;
  const spread = normal95 * Math.sqrt(n * share * (1 - share));
  const at = (rank: number) => sorted[Math.min(n, Math.max(1, rank)) - 1] ?? Number.NaN;
  return {
    value: quantile(sorted, share),
    low: at(Math.floor(n * share - spread)),
    high: at(Math.ceil(n * share + spread) + 1),
  };
}

/**
 * The sum of the numerators over the sum of the denominators; both lists have one entry for each
 * slice of the time. NaN if the denominators sum up to nothing.
 */
export function ratioEstimate(
  numerators: readonly number[],
  denominators: readonly number[],
): Estimate {
  const n = numerators.length;
  const [above, below] = [sum(numerators), sum(denominators)];
  const value = below === 0 ? Number.NaN : above / below;
  if (n < 2) return { value, low: value, high: value };
  const without = numerators.map((numerator, i) => {
    const rest = below - (denominators[i] ?? 0);
    // All that there is was in this slice: the others say nothing about the ratio.
    return rest === 0 ? value : (above - numerator) / rest;
  });
  const mean = sum(without) / n;
  const variance = ((n - 1) / n) * sum(without.map((each) => (each - mean) ** 2));
  const half = (student95[n - 2] ?? normal95) * Math.sqrt(variance);
  return { value, low: Math.max(0, value - half), high: value + half };
}

/** How long something took, in whole ms. */
export type Times = { readonly p50Ms: number; readonly p99Ms: number };

export function timesOf(ms: readonly number[]): Times {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(quantile(sorted, share));
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
