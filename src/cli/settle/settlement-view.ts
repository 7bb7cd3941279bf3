/** Settlements as the command prints them: a table, rows of a CSV file, and differences. */

import type { DayDifference } from "../../settlement/differences.js";
import { localClock } from "../../settlement/local-clock.js";
import { moneyText } from "../../settlement/money.js";
import type { DocumentAmounts, StatementDocument } from "../../settlement/settlement-documents.js";
import { type Cell, type Column, fields, formatTime, table } from "../text/output.js";

/** In the order of columns. */
const energyNames = [
  "imported_wh",
  "exported_wh",
  "bought_wh",
  "sold_wh",
  "from_grid_wh",
  "to_grid_wh",
] as const satisfies readonly (keyof DocumentAmounts)[];
const moneyNames = [
  "from_grid_cost",
  "bought_cost",
  "to_grid_credit",
  "sold_credit",
  "due",
] as const satisfies readonly (keyof DocumentAmounts)[];

const shownMax = 12;

/** The settlement for people. `zone`: the tariff's, whose days the lines are. */
export function settlementText(settlement: StatementDocument, zone: string): string {
  const { days, total, currency, minor_unit_digits: digits } = settlement;
  const right = (title: string): Column => ({ title, align: "right" });
  const columns = [
    { title: "DAY" },
    ...energyNames.map((name) => right(`${titleOf(name)} WH`)),
    ...moneyNames.map((name) => right(`${titleOf(name)} ${currency}`)),
    right("RECORDS"),
  ];
  const rowOf = (title: string, amounts: DocumentAmounts, records: Cell): Cell[] => [
    title,
    ...energyNames.map((name) => amounts[name]),
    ...moneyNames.map((name) => moneyText(amounts[name], digits)),
    records,
  ];
  const dateOf = dates(zone);
  const rows = days.map((day) => rowOf(dateOf(day.start_unix_s), day, day.record_count));
  const [from, to] = [settlement.from_unix_s, settlement.to_unix_s];
  const head = fields([
    ["participant", settlement.participant],
    ["period", `${formatTime(from * 1000)} to ${formatTime(to * 1000)}, days of ${zone}`],
    ["as of", `height ${settlement.height}, block ${settlement.block_id}`],
    ["tariff", settlement.tariff],
    ["units", `energy in Wh, money in ${currency}`],
    ["rounding", settlement.rounding],
  ]);
  return `${head}\n\n${table(columns, [...rows, rowOf("total", total, "")])}`;
}

/** "FROM GRID" of `from_grid_wh` and of `from_grid_cost`. */
function titleOf(name: string): string {
  return name
    .replace(/_(wh|cost|credit)$/, "")
    .replace("_", " ")
    .toUpperCase();
}

/** What is to be said of delivery intervals that no record is about; undefined for none. */
export function gapsText(of: {
  readonly intervals: number;
  readonly intervals_without_value: number;
}): string | undefined {
  const { intervals, intervals_without_value: without } = of;
  if (without === 0) return undefined;
  const [verb, count] = without === 1 ? ["has", "counts"] : ["have", "count"];
  return `${without} of ${intervals} delivery intervals ${verb} no value of any meter and ${count} as 0`;
}

/** The same of a settlement that a manager says, which tells of records by day. */
export function emptyDaysText({ days }: StatementDocument): string | undefined {
  const empty = days.filter(({ record_count: count }) => count === 0).length;
  if (empty === 0) return undefined;
  const [verb, count] = empty === 1 ? ["has", "counts"] : ["have", "count"];
  return `${empty} of ${days.length} days ${verb} no record and ${count} as 0; --check counts the intervals`;
}

/** One line for each day, and the total. */
export function settlementCsv(settlement: StatementDocument, zone: string): string {
  const { days, total, currency, minor_unit_digits: digits } = settlement;
  const money = moneyNames.map((name) => `${name}_${currency.toLowerCase()}`);
  const header = ["participant", "day", "start", ...energyNames, ...money, "records"];
  const cells = (amounts: DocumentAmounts) => [
    ...energyNames.map((name) => amounts[name]),
    ...moneyNames.map((name) => moneyText(amounts[name], digits)),
  ];
  const dateOf = dates(zone);
  const rows = days.map((day) => {
    const start = new Date(day.start_unix_s * 1000).toISOString().replace(".000Z", "Z");
    const place = [settlement.participant, dateOf(day.start_unix_s), start];
    return [...place, ...cells(day), day.record_count];
  });
  const last = [settlement.participant, "total", "", ...cells(total), ""];
  // Ids, dates and numbers need no quotes.
  return `${[header, ...rows, last].map((row) => row.join(",")).join("\n")}\n`;
}

/**
 * Differences for people: what is stated and what was computed, and the records it comes from.
 * `computed`: with the names of its records.
 */
export function differencesText(
  differences: readonly DayDifference[],
  computed: StatementDocument,
  zone: string,
): string {
  const { minor_unit_digits: digits } = computed;
  const dateOf = dates(zone);
  const amountText = (name: string, value: number) =>
    name.endsWith("_wh") ? `${value} Wh` : `${moneyText(value, digits)} ${computed.currency}`;
  return differences
    .flatMap((difference) => {
      const { startS, amounts, statedOnly, computedOnly } = difference;
      const title = startS === undefined ? "total" : dateOf(startS);
      const lines = amounts.map(
        ({ name, stated, computed: own }) =>
          `  ${name}: stated ${amountText(name, stated)}, computed ${amountText(name, own)}`,
      );
      if (statedOnly.length > 0) lines.push(`  only stated: ${listed(statedOnly)}`);
      if (computedOnly.length > 0) lines.push(`  left out: ${listed(computedOnly)}`);
      const records = recordsOf(difference, computed);
      if (records.length > 0) lines.push(`  the day's records: ${listed(records)}`);
      return [title, ...lines];
    })
    .join("\n");
}

/** Differences for `--json`. */
export function differencesJson(
  differences: readonly DayDifference[],
  computed: StatementDocument,
): readonly object[] {
  return differences.map((difference) => ({
    day_start_unix_s: difference.startS ?? null,
    amounts: difference.amounts,
    same_records: difference.sameRecords,
    stated_only: difference.statedOnly,
    left_out: difference.computedOnly,
    records: recordsOf(difference, computed),
  }));
}

/** The records that a day that differs comes from, as computed. */
function recordsOf({ startS }: DayDifference, { days }: StatementDocument): readonly string[] {
  return days.find(({ start_unix_s: start }) => start === startS)?.records ?? [];
}

function listed(hashes: readonly string[]): string {
  const rest = hashes.length - shownMax;
  return `${hashes.slice(0, shownMax).join(" ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** The local date of a moment, "2026-03-29". */
function dates(zone: string): (unixS: number) => string {
  const clock = localClock(zone);
  return (unixS) => {
    const day = clock === undefined ? Math.floor(unixS / 86_400) : clock(unixS).day;
    return new Date(day * 86_400_000).toISOString().slice(0, 10);
  };
}
