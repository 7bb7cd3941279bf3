/**
 * The order in which waiting work of several causers goes first: as if each were served in turn,
 * and the turn were as long as what it costs. Whoever brings a thousand pieces waits behind itself;
 * the single piece of another one is among the first. What one causer brings stays in its order.
 *
 * It is fair queueing by virtual finish times: a piece's time is the cost of all that its causer
 * has before it, and its own.
 */
export type FairOrderOptions<T> = {
  readonly causerOf: (piece: T) => string;
  /** More than 0. */
  readonly costOf: (piece: T) => number;
};

/** The same for the same pieces in the same order, and for equal times in that order. */
export function fairOrder<T>(
  pieces: Iterable<T>,
  { causerOf, costOf }: FairOrderOptions<T>,
): readonly T[] {
  const costs = new Map<string, number>();
  const timed: { readonly piece: T; readonly time: number }[] = [];
  for (const piece of pieces) {
    const causer = causerOf(piece);
    const time = (costs.get(causer) ?? 0) + costOf(piece);
    costs.set(causer, time);
    timed.push({ piece, time });
  }
  return timed.sort((a, b) => a.time - b.time).map(({ piece }) => piece);
}
