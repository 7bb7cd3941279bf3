/**
 * A statement: what a participant used, gave, bought and sold in a period, and what that comes to.
 *
 *     records that stand at a height ─┐
 *     tariff ─────────────────────────┴─▶ delivery intervals ─▶ a line for each day ─▶ total
 *
 * For each delivery interval, what was imported and not bought came from the grid, and what was
 * exported and not sold went to the grid. A day's line has exact sums, and each of its four amounts
 * is rounded once (money.ts). The total is the sum of the lines, so lines add up as they are
 * printed, and two periods that meet at a local midnight add up to the one that they make.
 */
import { fromHex } from "../base/bytes.js";
import { err, ok, type Result } from "../base/result.js";
import { sha256 } from "../crypto/hash.js";
import type { Policy } from "../gen/bss/v1/genesis_pb.js";
import { isIntervalStart, type MarketGrid } from "../ledger/kinds/market-grid.js";
import { isoTimeOfS } from "../ledger/times.js";
import { type LocalClock, localClock } from "./local-clock.js";
import { roundedAmount } from "./money.js";
import { type Prices, pricesOf } from "./prices.js";
import type { Contribution, Period, StandingRecord } from "./standing-records.js";
import type { Tariff } from "./tariff.js";

/** The longest period, s. */
export const periodSMax = 366 * 86_400;
/** The most delivery intervals of a period: a year of five minutes has 105,408. */
const deliveriesMax = 110_000;

/** Energy in Wh, money in minor units of the currency. All are exact in a double. */
export type Amounts = {
  readonly importedWh: number;
  readonly exportedWh: number;
  readonly boughtWh: number;
  readonly soldWh: number;
  readonly fromGridWh: number;
  readonly toGridWh: number;
  /** What the participant pays, negative at negative prices. */
  readonly fromGridCost: number;
  readonly boughtCost: number;
  /** What it is paid. */
  readonly toGridCredit: number;
  readonly soldCredit: number;
  /** Costs less credits. */
  readonly due: number;
};

export type StatementDay = Amounts & {
  /** Unix s: its first delivery interval. */
  readonly startS: number;
  /** Hashes of the records that its sums come from, lower-case hex, sorted. */
  readonly records: readonly string[];
};

export type Statement = {
  readonly currency: string;
  /** Minor units are `10 ** -digits` of the currency. */
  readonly digits: number;
  readonly days: readonly StatementDay[];
  readonly total: Amounts;
  /** Delivery intervals of the period, and how many of them no record is about: they count as 0. */
  readonly intervals: number;
  readonly withoutValue: number;
};

export const amountNames = [
  "importedWh",
  "exportedWh",
  "boughtWh",
  "soldWh",
  "fromGridWh",
  "toGridWh",
  "fromGridCost",
  "boughtCost",
  "toGridCredit",
  "soldCredit",
  "due",
] as const satisfies readonly (keyof Amounts)[];

type Sums = {
  importedWh: bigint;
  exportedWh: bigint;
  boughtWh: bigint;
  soldWh: bigint;
  /** Wh times millionths per kWh. */
  bought: bigint;
  sold: bigint;
};

/** Why there is no statement: a tariff that does not fit, missing records, too large sums. */
export type StatementProblem = {
  readonly of: "tariff" | "records" | "size";
  readonly message: string;
};

/** What is wrong with a period, in a part of a sentence; undefined for nothing. */
export function periodProblem(
  { fromS, toS }: Period,
  grid: MarketGrid,
): { readonly at: "from" | "to"; readonly why: string } | undefined {
  const { deliveryIntervalS } = grid;
  for (const [at, timeS] of [
    ["from", fromS],
    ["to", toS],
  ] as const) {
    if (isIntervalStart(timeS, deliveryIntervalS, grid)) continue;
    const why = `${isoTimeOfS(timeS)} is not the start of a delivery interval of ${deliveryIntervalS} s`;
    return { at, why };
  }
  if (toS <= fromS) return { at: "to", why: "the period ends before it begins" };
  if (toS - fromS > periodSMax) return { at: "to", why: "a statement is about at most 366 days" };
  if ((toS - fromS) / deliveryIntervalS <= deliveriesMax) return undefined;
  return { at: "to", why: `a statement is about at most ${deliveriesMax} delivery intervals` };
}

/** Where delivery intervals begin, and what trades are paid in. */
export type Market = MarketGrid & Pick<Policy, "currency">;

type TariffTerms = { readonly clock: LocalClock; readonly from: Prices; readonly to: Prices };

/** `period` has no `periodProblem`. */
export function statementOf(
  ...of: Parameters<typeof statementInSteps>
): Result<Statement, StatementProblem> {
  const steps = statementInSteps(...of);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same with a step for each record and each day: a node has other work to do in between. */
export function* statementInSteps(
  records: readonly StandingRecord[],
  tariff: Tariff,
  period: Period,
  market: Market,
): Generator<void, Result<Statement, StatementProblem>, undefined> {
  const terms = tariffTerms(tariff, market);
  if (!terms.ok) return err({ of: "tariff", message: terms.error });
  const { clock, from, to } = terms.value;
  const byInterval = new Map<number, Sums>();
  const recordsOfDay = new Map<number, string[]>();
  // The records come sorted by hash.
  for (const record of records) {
    const recordDays = new Set<number>();
    for (const contribution of record.contributions) {
      addToSums(byInterval, contribution);
      recordDays.add(clock(contribution.deliveryStartS).day);
    }
    for (const day of recordDays) {
      const hashes = recordsOfDay.get(day);
      if (hashes === undefined) recordsOfDay.set(day, [record.hash]);
      else hashes.push(record.hash);
    }
    yield;
  }
  const days: StatementDay[] = [];
  let [intervals, withoutValue] = [0, 0];
  for (const day of daysOf(period, clock, market)) {
    yield;
    const line = new DayLine({ from, to });
    for (const startS of day.starts) {
      const sums = byInterval.get(startS);
      intervals += 1;
      if (sums === undefined) withoutValue += 1;
      const problem = sums && line.add(startS, sums);
      if (problem !== undefined) return err(problem);
    }
    const amounts = line.amounts(tariff.minor_unit_digits);
    if (amounts === undefined) return tooLarge();
    const hashes = recordsOfDay.get(day.number) ?? [];
    days.push({ startS: day.starts[0] ?? period.fromS, ...amounts, records: hashes });
  }
  const total = totalOf(days);
  if (total === undefined) return tooLarge();
  const { currency, minor_unit_digits: digits } = tariff;
  return ok({ currency, digits, days, total, intervals, withoutValue });
}

/** What a tariff means on a market, or why it cannot be used there. */
export function tariffTerms(tariff: Tariff, market: Market): Result<TariffTerms, string> {
  if (tariff.currency !== market.currency) {
    return err(`it is in ${tariff.currency}, and the market's currency is ${market.currency}`);
  }
  const clock = localClock(tariff.zone);
  if (clock === undefined) return err(`zone: ${tariff.zone} is not known here`);
  const from = pricesOf(tariff.from_grid, clock, market);
  if (!from.ok) return err(`from_grid: ${from.error}`);
  const to = pricesOf(tariff.to_grid, clock, market);
  if (!to.ok) return err(`to_grid: ${to.error}`);
  return ok({ clock, from: from.value, to: to.value });
}

/** SHA-256 over the hashes of a day's records, sorted: equal for equal sets of records. */
export function recordsDigest({ records }: Pick<StatementDay, "records">): Uint8Array {
  return sha256(...records.map((hash) => fromHex(hash) ?? new Uint8Array(0)));
}

function tooLarge(): Result<never, StatementProblem> {
  return err({ of: "size", message: "a sum is too large to be exact; settle a shorter period" });
}

function addToSums(byInterval: Map<number, Sums>, contribution: Contribution): void {
  const { deliveryStartS, importedWh, exportedWh, soldWh, boughtWh } = contribution;
  let sums = byInterval.get(deliveryStartS);
  if (sums === undefined) {
    sums = { importedWh: 0n, exportedWh: 0n, boughtWh: 0n, soldWh: 0n, bought: 0n, sold: 0n };
    byInterval.set(deliveryStartS, sums);
  }
  sums.importedWh += importedWh;
  sums.exportedWh += exportedWh;
  sums.soldWh += soldWh;
  sums.boughtWh += boughtWh;
  sums.sold += soldWh * contribution.priceMicroPerKwh;
  sums.bought += boughtWh * contribution.priceMicroPerKwh;
}

type Day = { readonly number: number; readonly starts: number[] };

/** The delivery intervals of the period by the local day in which they start. */
function daysOf({ fromS, toS }: Period, clock: LocalClock, grid: MarketGrid): readonly Day[] {
  const days: Day[] = [];
  for (let startS = fromS; startS < toS; startS += grid.deliveryIntervalS) {
    const number = clock(startS).day;
    const last = days.at(-1);
    if (last?.number === number) last.starts.push(startS);
    else days.push({ number, starts: [startS] });
  }
  return days;
}

/** Adds up a day, exactly. */
class DayLine {
  readonly #prices: { readonly from: Prices; readonly to: Prices };
  readonly #sums: Sums = {
    importedWh: 0n,
    exportedWh: 0n,
    boughtWh: 0n,
    soldWh: 0n,
    bought: 0n,
    sold: 0n,
  };
  #fromGrid = 0n;
  #toGrid = 0n;

  constructor(prices: { readonly from: Prices; readonly to: Prices }) {
    this.#prices = prices;
  }

  add(startS: number, sums: Sums): StatementProblem | undefined {
    const fromGridWh = sums.importedWh - sums.boughtWh;
    const toGridWh = sums.exportedWh - sums.soldWh;
    const start = isoTimeOfS(startS);
    if (fromGridWh < 0n || toGridWh < 0n) {
      const message = `records of the interval from ${start} are missing: more is traded than metered`;
      return { of: "records", message };
    }
    const { from, to } = this.#prices;
    for (const [name, energyWh, prices] of [
      ["from_grid", fromGridWh, from],
      ["to_grid", toGridWh, to],
    ] as const) {
      if (energyWh === 0n) continue;
      const price = prices.at(startS);
      if (price === undefined) {
        return { of: "tariff", message: `${name} has no price for the interval from ${start}` };
      }
      if (name === "from_grid") this.#fromGrid += energyWh * price;
      else this.#toGrid += energyWh * price;
    }
    for (const name of Object.keys(this.#sums) as (keyof Sums)[]) this.#sums[name] += sums[name];
    return undefined;
  }

  /** Undefined when a number is too large. */
  amounts(digits: number): Amounts | undefined {
    const { importedWh, exportedWh, boughtWh, soldWh, bought, sold } = this.#sums;
    const { from, to } = this.#prices;
    const fromGridCost = roundedAmount({ sum: this.#fromGrid, per: from.per }, digits);
    const toGridCredit = roundedAmount({ sum: this.#toGrid, per: to.per }, digits);
    const boughtCost = roundedAmount({ sum: bought, per: 1n }, digits);
    const soldCredit = roundedAmount({ sum: sold, per: 1n }, digits);
    return exactNumbers({
      importedWh,
      exportedWh,
      boughtWh,
      soldWh,
      fromGridWh: importedWh - boughtWh,
      toGridWh: exportedWh - soldWh,
      fromGridCost,
      boughtCost,
      toGridCredit,
      soldCredit,
      due: fromGridCost + boughtCost - toGridCredit - soldCredit,
    });
  }
}

function totalOf(days: readonly StatementDay[]): Amounts | undefined {
  const sumOf = (name: keyof Amounts) => days.reduce((sum, day) => sum + BigInt(day[name]), 0n);
  const sums = Object.fromEntries(amountNames.map((name) => [name, sumOf(name)]));
  return exactNumbers(sums as Record<keyof Amounts, bigint>);
}

function exactNumbers(values: Readonly<Record<keyof Amounts, bigint>>): Amounts | undefined {
  const entries = amountNames.map((name) => [name, Number(values[name])] as const);
  if (!entries.every(([, value]) => Number.isSafeInteger(value))) return undefined;
  return Object.fromEntries(entries) as Record<keyof Amounts, number>;
}
