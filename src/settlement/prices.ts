/**
 * The price of each delivery interval. What is traded in one is known as a whole only, and so is
 * what is left for the grid: so one price holds for all of it.
 *
 * - time of use: the price of the clock time at which the delivery interval starts;
 * - series with intervals at least as long: the price of the interval that it lies in;
 * - series with shorter intervals: the mean of all that lie in it, kept exact as a fraction.
 */
import { err, ok, type Result } from "../base/result.js";
import { isIntervalStart, type MarketGrid } from "../ledger/kinds/market-grid.js";
import { isoTimeOfS } from "../ledger/times.js";
import type { LocalClock } from "./local-clock.js";
import type { Pricing } from "./tariff.js";

export type Prices = {
  /**
   * Millionths of the currency per kWh times `per`, for the delivery interval that starts then;
   * undefined where the tariff has no price.
   */
  readonly at: (deliveryStartS: number) => bigint | undefined;
  readonly per: bigint;
};

type Series = Extract<Pricing, { readonly kind: "series" }>;

/** Refuses a series whose intervals do not fit the market's, in a part of a sentence. */
export function pricesOf(
  pricing: Pricing,
  clock: LocalClock,
  grid: MarketGrid,
): Result<Prices, string> {
  if (pricing.kind === "flat") return ok({ at: () => pricing.price, per: 1n });
  if (pricing.kind === "series") return seriesPrices(pricing, grid);
  const { periods, otherwise } = pricing;
  const at = (deliveryStartS: number) => {
    const { weekday, minute } = clock(deliveryStartS);
    const period = periods.find(
      ({ days, from, to }) =>
        (days === undefined || days.includes(weekday)) && minute >= from && minute < to,
    );
    return period?.price ?? otherwise;
  };
  return ok({ at, per: 1n });
}

function seriesPrices(series: Series, grid: MarketGrid): Result<Prices, string> {
  const { start, interval_s: intervalS, prices } = series;
  const { deliveryIntervalS } = grid;
  const [long, short] = [
    Math.max(intervalS, deliveryIntervalS),
    Math.min(intervalS, deliveryIntervalS),
  ];
  if (long % short !== 0) {
    return err(`interval_s ${intervalS} does not fit delivery intervals of ${deliveryIntervalS} s`);
  }
  if (!isIntervalStart(start, short, grid)) {
    return err(`the series starts at ${isoTimeOfS(start)}, within one of the market's intervals`);
  }
  const count = intervalS < deliveryIntervalS ? deliveryIntervalS / intervalS : 1;
  const at = (deliveryStartS: number) => {
    const first = Math.floor((deliveryStartS - start) / intervalS);
    let sum = 0n;
    for (let i = first; i < first + count; i++) {
      const price = prices[i];
      if (price === undefined || price === null) return undefined;
      sum += price;
    }
    return sum;
  };
  return ok({ at, per: BigInt(count) });
}
