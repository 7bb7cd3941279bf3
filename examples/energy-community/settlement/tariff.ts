/**
 * What the grid charges and pays, as the document that settlement reads: the prices of the data for
 * what comes from the grid, hour by hour, and one price for what goes to it.
 */
import { utf8 } from "../../../src/base/bytes.js";
import { isoTimeOfS } from "../../../src/ledger/times.js";
import { clockZone } from "../community/calendar.js";
import { meterIntervalS } from "../community/community.js";
import type { CommunityDay } from "../community/community-days.js";

/** An assumption: the data do not say what energy to the grid earns. */
const toGridUsdPerKwh = "0.05";
/** A settlement is about 366 days at most. */
const hoursMax = 365 * 24;
/** A record has 64 KiB at most, and prices are nearly all of this one. */
const pricesBytesMax = 63 * 1024;

/** Collects the prices of days that come in order, as many as one tariff holds. */
export class TariffPrices {
  /** Unix s; undefined until the first hour is added. */
  #startS: number | undefined;
  /** Micro-USD per kWh; null for hours of which the data say nothing. */
  readonly #prices: (number | null)[] = [];
  #bytes = 0;
  #isFull = false;

  add({ hours }: CommunityDay): void {
    for (const { startS, priceMicroPerKwh } of hours) {
      this.#startS ??= startS;
      const index = (startS - this.#startS) / meterIntervalS;
      this.#isFull ||= index >= hoursMax;
      if (this.#isFull) return;
      const missing = Array.from({ length: index - this.#prices.length }, () => null);
      const added = [...missing, Number(priceMicroPerKwh)];
      this.#bytes += JSON.stringify(added).length;
      this.#isFull = this.#bytes > pricesBytesMax;
      if (!this.#isFull) this.#prices.push(...added);
    }
  }

  /** Unix s: the time that has prices. */
  get period(): { readonly fromS: number; readonly toS: number } {
    const fromS = this.#startS ?? 0;
    return { fromS, toS: fromS + this.#prices.length * meterIntervalS };
  }

  /** JSON, as docs/settlement.md describes it. */
  document(): Uint8Array {
    const { fromS } = this.period;
    return utf8(
      JSON.stringify({
        name: "time of use, as in the data",
        currency: "USD",
        minor_unit_digits: 2,
        zone: clockZone,
        from_grid: {
          kind: "series",
          start: isoTimeOfS(fromS),
          interval_s: meterIntervalS,
          prices: this.#prices,
        },
        to_grid: { kind: "flat", price: toGridUsdPerKwh },
      }),
    );
  }
}
