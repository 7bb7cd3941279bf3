/**
 * From the data's kWh and W to the whole Wh of a meter, so that no energy appears or vanishes.
 *
 * Rounding each hour by itself would let the error grow with the hours: a home that draws 0.4 Wh
 * each hour would never draw anything. So the sum is rounded, not the hour:
 *
 *     Wh_t = round(x_1 + … + x_t) − round(x_1 + … + x_(t−1))
 *
 * and the whole Wh of any stretch of hours differ from its exact energy by at most 1 Wh. Load and
 * generation are rounded each for itself, and the meter shows the difference of the two: in each
 * hour a home imports or exports, never both, and
 *
 *     Σ imported − Σ exported = round(Σ load) − round(Σ generation).
 */
import { add, type Decimal, multiply, round, subtractInteger, zero } from "./decimal.js";
import type { HomeHour } from "./homes-csv.js";

/** What the meter of a home shows for one hour; one of the two is 0. */
export type MeterValues = {
  readonly importedWh: number;
  readonly exportedWh: number;
};

const whPerKwh: Decimal = { digits: 1000n, scale: 0 };

/** Amounts of energy in Wh as whole Wh, with the rest carried on. */
export class WholeWattHours {
  /** The exact sum less its rounded value: from −1/2 to below 1/2. */
  #rest: Decimal = zero;

  /** `energyWh` is not negative; neither is the result. */
  next(energyWh: Decimal): number {
    const sum = add(this.#rest, energyWh);
    const whole = round(sum);
    this.#rest = subtractInteger(sum, whole);
    return Number(whole);
  }
}

/** The meter of one home; the hours come in order, each once. */
export class HomeMeter {
  readonly #load = new WholeWattHours();
  readonly #generation = new WholeWattHours();

  next({ loadKwh, solarWPerKw, home }: HomeHour): MeterValues {
    const loadWh = this.#load.next(multiply(loadKwh, whPerKwh));
    // A mean power in W over one hour is the energy in Wh.
    const generationWh = this.#generation.next(multiply(solarWPerKw, home.panelsKw));
    const netWh = loadWh - generationWh;
    return { importedWh: Math.max(netWh, 0), exportedWh: Math.max(-netWh, 0) };
  }
}
