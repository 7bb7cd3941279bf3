/**
 * The three files of an energy community, read strictly: what a home draws and what its panels
 * give, hour by hour; how large the panels are; what a kWh costs.
 *
 * Any number of homes and hours. The hourly file is read as a stream, so all homes of an hour must
 * stand together, hours ascending. A row that is wrong is reported with its line, column and
 * reason, and left out; a file or column that is missing ends the reading.
 */
import { join } from "node:path";
import { CliError } from "../../../src/cli/text/cli-error.js";
import { isId } from "../../../src/ledger/ids.js";
import { Calendar, type LabelledRow } from "./calendar.js";
import { CsvCells, csvRows, quote } from "./csv-rows.js";
import { DataProblems } from "./data-problems.js";
import { type Decimal, multiply, round } from "./decimal.js";

export const dataFileNames = {
  hourly: "homes_fontana_hourly.csv",
  panels: "homes_fontana_pv_kw.csv",
  tariff: "homes_fontana_tariff.csv",
} as const;

export type Home = {
  /** As in the data, such as "Building_1". */
  readonly building: string;
  /** As on the ledger, such as "building-1". */
  readonly id: string;
  /** Installed power of the panels. */
  readonly panelsKw: Decimal;
};

/** What the data say about one home in one hour. */
export type HomeHour = {
  readonly home: Home;
  /** Drawn by everything in the home. */
  readonly loadKwh: Decimal;
  /** Mean power of the panels, per installed kW. */
  readonly solarWPerKw: Decimal;
};

export type Hour = {
  readonly row: number;
  /** Unix s. */
  readonly startS: number;
  /** At least one, in the order of the file. */
  readonly homes: readonly HomeHour[];
  /** Line of its first row. */
  readonly line: number;
};

/** Beyond these a number is taken for a mistake in its unit. */
const limits = { loadKwh: 1_000_000, solarWPerKw: 10_000, panelsKw: 100_000, usdPerKwh: 20 };
const rowMax = 10_000_000;
/** Rows that the calendar is chosen from. */
const sampleRows = 1000;
const microPerUnit: Decimal = { digits: 1_000_000n, scale: 0 };

const hourlyColumns = [
  ...(["building", "row", "month", "hour", "day_type"] as const),
  ...(["non_shiftable_load", "solar_generation"] as const),
];
type HourlyCells = CsvCells<(typeof hourlyColumns)[number]>;

/** The homes by their names in the data. Throws `CliError`. */
export async function readHomes(
  directory: string,
  problems: DataProblems,
): Promise<ReadonlyMap<string, Home>> {
  const file = join(directory, dataFileNames.panels);
  const homes = new Map<string, Home>();
  const ids = new Set<string>();
  for await (const row of csvRows(file, ["building", "pv_nominal_power_kw"], problems)) {
    const cells = new CsvCells(file, row, problems);
    const building = cells.text("building");
    const id = building.toLowerCase().replaceAll(/[_ ]/g, "-");
    const panelsKw = cells.amount("pv_nominal_power_kw", limits.panelsKw, "kW");
    if (!isId(id) || !isId(`${id}-meter`)) {
      cells.refuse("building", `${quote(building)} makes no id out of a-z, 0-9 and -`);
    } else if (ids.has(id)) {
      cells.refuse("building", `${quote(building)} is there twice`);
    } else if (panelsKw !== undefined) {
      ids.add(id);
      homes.set(building, { building, id, panelsKw });
    }
  }
  if (homes.size > 0) return homes;
  throw new CliError(`${file} names no home`, [...problems.lines(), "it needs one"].join("; "));
}

/** Micro-USD per kWh by row. Throws `CliError`. */
export async function readTariff(
  directory: string,
  problems: DataProblems,
): Promise<ReadonlyMap<number, bigint>> {
  const file = join(directory, dataFileNames.tariff);
  const prices = new Map<number, bigint>();
  for await (const csvRow of csvRows(file, ["row", "electricity_pricing"], problems)) {
    const cells = new CsvCells(file, csvRow, problems);
    const row = cells.integer("row", 1, rowMax);
    const usdPerKwh = cells.amount("electricity_pricing", limits.usdPerKwh, "USD/kWh");
    if (row === undefined || usdPerKwh === undefined) continue;
    if (prices.has(row)) cells.refuse("row", `row ${row} is there twice`);
    else prices.set(row, round(multiply(usdPerKwh, microPerUnit)));
  }
  return prices;
}

/**
 * The hours of the hourly file. A home whose row is missing or wrong is not in that hour. Throws
 * `CliError`.
 */
export async function* readHours(
  directory: string,
  homes: ReadonlyMap<string, Home>,
  problems: DataProblems,
): AsyncGenerator<Hour, void, undefined> {
  const file = join(directory, dataFileNames.hourly);
  const calendar = await calendarOf(file);
  let hour: { row: number; line: number; homes: Map<Home, HomeHour> } | undefined;
  for await (const csvRow of csvRows(file, hourlyColumns, problems)) {
    const cells = new CsvCells(file, csvRow, problems);
    const labels = rowLabels(cells);
    const homeHour = readHomeHour(cells, homes);
    if (labels === undefined || homeHour === undefined || !isOnTime(labels, calendar, cells)) {
      continue;
    }
    const { row } = labels;
    if (hour !== undefined && row > hour.row) {
      yield finished(hour, calendar);
      hour = undefined;
    }
    hour ??= { row, line: csvRow.line, homes: new Map() };
    if (row < hour.row) cells.refuse("row", `row ${row} comes after row ${hour.row}`);
    else if (!hour.homes.has(homeHour.home)) hour.homes.set(homeHour.home, homeHour);
    else cells.refuse(undefined, `${homeHour.home.building} has row ${row} twice`);
  }
  if (hour !== undefined) yield finished(hour, calendar);
}

function finished(
  { row, line, homes }: { row: number; line: number; homes: ReadonlyMap<Home, HomeHour> },
  calendar: Calendar,
): Hour {
  return { row, startS: calendar.startS(row), homes: [...homes.values()], line };
}

async function calendarOf(file: string): Promise<Calendar> {
  const sample: LabelledRow[] = [];
  // What is wrong in these rows is reported when they are read for what they say.
  const unreported = new DataProblems();
  for await (const row of csvRows(file, hourlyColumns, unreported)) {
    const labels = rowLabels(new CsvCells(file, row, unreported));
    if (labels !== undefined) sample.push(labels);
    if (sample.length === sampleRows) break;
  }
  return new Calendar(sample);
}

function rowLabels(cells: HourlyCells): LabelledRow | undefined {
  const row = cells.integer("row", 1, rowMax);
  const month = cells.integer("month", 1, 12);
  const hour = cells.integer("hour", 1, 24);
  const dayType = cells.integer("day_type", 1, 7);
  const complete = row !== undefined && month !== undefined && hour !== undefined;
  return complete && dayType !== undefined ? { row, month, hour, dayType } : undefined;
}

function readHomeHour(cells: HourlyCells, homes: ReadonlyMap<string, Home>): HomeHour | undefined {
  const building = cells.text("building");
  const home = homes.get(building);
  if (home === undefined) {
    cells.refuse("building", `${quote(building)} is no home of ${dataFileNames.panels}`);
  }
  const loadKwh = cells.amount("non_shiftable_load", limits.loadKwh, "kWh");
  const solarWPerKw = cells.amount("solar_generation", limits.solarWPerKw, "W per kW");
  if (home === undefined || loadKwh === undefined || solarWPerKw === undefined) return undefined;
  return { home, loadKwh, solarWPerKw };
}

function isOnTime(labels: LabelledRow, calendar: Calendar, cells: HourlyCells): boolean {
  const expected = calendar.disagreement(labels);
  if (expected === undefined) return true;
  const { month, hour, dayType } = expected;
  const due = `month ${month}, hour ${hour}, day_type ${dayType}`;
  cells.refuse("row", `row ${labels.row} is the hour of ${due}, and this row says otherwise`);
  return false;
}
