/**
 * Chances of a committee: what a draw without replacement brings.
 *
 *     X nodes, s of them marked, c drawn: P(k marked) = C(s, k) · C(X−s, c−k) / C(X, c)
 *
 * Computed in logarithms, so that it holds for a million nodes and for tails of 10⁻³⁰⁰.
 */

export type Draw = {
  /** X: nodes from which is drawn. */
  readonly population: number;
  /** s: of these, the ones that are counted. */
  readonly marked: number;
  /** c: nodes that are drawn. */
  readonly drawn: number;
};

/** ln n!, by index; grown on demand. */
const logFactorials: number[] = [0];

/** ln C(n, k); −∞ where there is no such choice. */
export function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** P(exactly k of the marked are drawn). */
export function probability({ population, marked, drawn }: Draw, k: number): number {
  const ways = logChoose(marked, k) + logChoose(population - marked, drawn - k);
  return Math.exp(ways - logChoose(population, drawn));
}

/** P(at least k of the marked are drawn). */
export function tailFrom(draw: Draw, k: number): number {
  let sum = 0;
  // From the far end, so that small terms are not lost beside large ones.
  for (let i = Math.min(draw.marked, draw.drawn); i >= Math.max(k, 0); i--) {
    sum += probability(draw, i);
  }
  return Math.min(1, sum);
}

function logFactorial(n: number): number {
  for (let i = logFactorials.length; i <= n; i++) {
    logFactorials.push((logFactorials[i - 1] ?? 0) + Math.log(i));
  }
  return logFactorials[n] ?? 0;
}
