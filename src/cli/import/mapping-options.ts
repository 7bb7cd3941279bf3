/** The options of `bss import` that say what a mapping file can say. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { energyUnits } from "../../energy-files/csv/cell-number.js";
import { timeFormats } from "../../energy-files/csv/cell-time.js";
import { csvEncodings, type ValueDirection } from "../../energy-files/csv/csv-mapping.js";
import { parseCount } from "../arguments.js";
import { CliError, exitCodes } from "../text/cli-error.js";
import type { MappingText } from "./mapping-file.js";

/** As commander names them. */
export type MappingOptions = {
  readonly delimiter?: string;
  readonly decimalMark?: "." | ",";
  readonly encoding?: NonNullable<MappingText["encoding"]>;
  readonly headerLine?: number;
  readonly absent: readonly string[];
  readonly zone?: string;
  readonly time: readonly string[];
  readonly timeFormat?: (typeof timeFormats)[number];
  readonly stamp?: "start" | "end";
  readonly first?: string;
  readonly interval?: number;
  readonly meterColumn?: string;
  readonly imported: readonly string[];
  readonly exported: readonly string[];
  readonly net: readonly string[];
  readonly netExported: readonly string[];
  readonly unit?: (typeof energyUnits)[number];
  readonly scale: readonly Pair[];
  readonly quality?: string;
  readonly qualityWord: readonly Pair[];
  readonly meter: readonly Pair[];
  readonly station: readonly Pair[];
  readonly stationColumn?: string;
  readonly sessionColumn?: string;
  readonly ownerColumn?: string;
  readonly startColumn?: string;
  readonly endColumn?: string;
  readonly energyColumn?: string;
};

type Pair = readonly [name: string, value: string];

const qualities = ["measured", "estimated", "substituted", "absent"] as const;

export function addMappingOptions(command: Command): void {
  const list = (flags: string, help: string) =>
    new Option(flags, `${help}; may be repeated`).default([], "none").argParser(addText);
  const pairs = (flags: string, help: string) =>
    new Option(flags, `${help}; may be repeated`).default([], "none").argParser(addPair);
  command
    .optionsGroup("What the file says (also in the --mapping file):")
    .option("--zone <zone>", "time zone of local times, and of days: Europe/Berlin, or +01:00")
    .addOption(pairs("--meter <name=id>", "the meter that the file calls NAME has this id"))
    .addOption(pairs("--station <name=id>", "the charging station NAME has this id"))
    .optionsGroup("The columns of a CSV file (also in the --mapping file):")
    .option("--delimiter <text>", "character between the columns (default: ,)", parseDelimiter)
    .addOption(new Option("--decimal-mark <mark>", "(default: .)").choices([".", ","]))
    .addOption(new Option("--encoding <name>", "(default: utf-8)").choices(csvEncodings))
    .option("--header-line <n>", "line of the header, 0 for none (default: 1)", parseLine)
    .addOption(list("--absent <text>", "what cells without a value say (default: NA and alike)"))
    .addOption(list("--time <column>", "the column with the time, or date and time"))
    .addOption(new Option("--time-format <format>", "how times are written").choices(timeFormats))
    .addOption(new Option("--stamp <end>", "end of the interval").choices(["start", "end"]))
    .option("--first <time>", "with the format count: the time of number 1")
    .option("--interval <s>", "length of the intervals (default: the meter's)", parseCount)
    .option("--meter-column <column>", "the column that names the meter; else columns are meters")
    .addOption(list("--imported <column>", "a column with what was taken from the grid; * for all"))
    .addOption(list("--exported <column>", "a column with what was given to the grid; * for all"))
    .addOption(list("--net <column>", "a column in which positive is imported, negative exported"))
    .addOption(list("--net-exported <column>", "a column with the opposite signs"))
    .addOption(new Option("--unit <unit>", "W, kW, MW are averages").choices(energyUnits))
    .addOption(pairs("--scale <column=factor>", "multiplies the values of a column"))
    .option("--quality <column>", "the column with the quality of a row")
    .addOption(pairs("--quality-word <text=quality>", `what it says: ${qualities.join(", ")}`))
    .option("--station-column <column>", "of charging sessions: the station")
    .option("--session-column <column>", "what identifies the session")
    .option("--owner-column <column>", "the id of its owner (default: who submits)")
    .option("--start-column <column>", "when it began")
    .option("--end-column <column>", "when it ended")
    .option("--energy-column <column>", "what was charged")
    .optionsGroup("Options:");
}

/** What the options say, as a mapping file would. */
export function mappingOfOptions(options: MappingOptions): MappingText {
  const { delimiter, decimalMark, encoding, headerLine, absent, zone, time, interval } = options;
  const { timeFormat, stamp, first, meterColumn, meter, station } = options;
  const values = valuesOf(options);
  const sessions = sessionsOf(options);
  const quality = qualityOf(options);
  const timeText = {
    ...(time.length > 0 && { columns: [...time], column: undefined }),
    ...(timeFormat !== undefined && { format: timeFormat }),
    ...(stamp !== undefined && { stamp }),
    ...(first !== undefined && { first }),
  };
  return {
    ...(delimiter !== undefined && { delimiter }),
    ...(decimalMark !== undefined && { decimal_mark: decimalMark }),
    ...(encoding !== undefined && { encoding }),
    ...(headerLine !== undefined && { header_line: headerLine }),
    ...(absent.length > 0 && { absent: [...absent] }),
    ...(zone !== undefined && { zone }),
    ...(Object.keys(timeText).length > 0 && { time: timeText }),
    ...(interval !== undefined && { interval_s: interval }),
    ...(meterColumn !== undefined && { meter_column: meterColumn }),
    ...(values.length > 0 && { values }),
    ...(quality !== undefined && { quality }),
    ...(sessions !== undefined && { sessions }),
    meters: Object.fromEntries(meter),
    stations: Object.fromEntries(station),
  };
}

function valuesOf(options: MappingOptions): NonNullable<MappingText["values"]> {
  const scales = new Map(options.scale);
  const of = (columns: readonly string[], direction: ValueDirection) =>
    columns.map((column) => {
      const scale = scales.get(column);
      return { column, direction, unit: options.unit, ...(scale !== undefined && { scale }) };
    });
  return [
    ...of(options.imported, "imported"),
    ...of(options.exported, "exported"),
    ...of(options.net, "net"),
    ...of(options.netExported, "net-exported"),
  ];
}

function qualityOf({ quality, qualityWord }: MappingOptions): MappingText["quality"] {
  if (quality === undefined) return undefined;
  const said = (kind: string) => qualityWord.filter(([, to]) => to === kind).map(([word]) => word);
  const wrong = qualityWord.find(([, to]) => !qualities.some((kind) => kind === to));
  if (wrong !== undefined) {
    const next = `use one of ${qualities.join(", ")}`;
    throw new CliError(`there is no quality ${wrong[1]}`, next, { exitCode: exitCodes.usage });
  }
  return {
    column: quality,
    measured: said("measured"),
    estimated: said("estimated"),
    substituted: said("substituted"),
    absent: said("absent"),
  };
}

function sessionsOf(options: MappingOptions): MappingText["sessions"] {
  const { stationColumn, sessionColumn, startColumn, endColumn, energyColumn } = options;
  const { ownerColumn, unit, timeFormat } = options;
  const all = [stationColumn, sessionColumn, startColumn, endColumn, energyColumn];
  if (all.every((column) => column === undefined)) return undefined;
  const isEnergy = unit === "Wh" || unit === "kWh" || unit === "MWh";
  if (
    stationColumn === undefined ||
    sessionColumn === undefined ||
    startColumn === undefined ||
    endColumn === undefined ||
    energyColumn === undefined ||
    timeFormat === undefined ||
    !isEnergy
  ) {
    throw new CliError(
      "charging sessions need all of their options",
      "give --station-column, --session-column, --start-column, --end-column, --energy-column, " +
        "--time-format and --unit Wh, kWh or MWh",
      { exitCode: exitCodes.usage },
    );
  }
  return {
    station_column: stationColumn,
    session_column: sessionColumn,
    ...(ownerColumn !== undefined && { owner_column: ownerColumn }),
    start_column: startColumn,
    end_column: endColumn,
    energy_column: energyColumn,
    unit,
    time_format: timeFormat,
  };
}

function addText(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function addPair(text: string, before: readonly Pair[]): readonly Pair[] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new InvalidArgumentError("Use NAME=VALUE.");
  return [...before, [text.slice(0, at), text.slice(at + 1)]];
}

function parseDelimiter(text: string): string {
  if (text === "\\t") return "\t";
  if ([...text].length === 1) return text;
  throw new InvalidArgumentError("Use one character, such as ';'.");
}

function parseLine(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Use the number of a line, or 0.");
}
