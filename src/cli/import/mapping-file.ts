/**
 * `--mapping FILE`: what the columns of a CSV file mean, and which names of the file are which
 * meters. Options of the command line say the same things and go before what the file says.
 *
 *     delimiter: ";"
 *     decimal_mark: ","
 *     zone: Europe/Berlin
 *     time: {column: Zeit, format: dd.mm.yyyy, stamp: start}
 *     meter_column: Zählpunkt
 *     values:
 *       - {column: Bezug, direction: imported, unit: kWh}
 *       - {column: Einspeisung, direction: exported, unit: kWh}
 *     meters:
 *       "DE0001": home-1-meter
 */
import * as z from "zod";
import { toHex, utf8 } from "../../base/bytes.js";
import * as field from "../../config/fields.js";
import { readYamlFile } from "../../config/yaml-file.js";
import { sha256 } from "../../crypto/hash.js";
import { energyUnits } from "../../energy-files/csv/cell-number.js";
import { timeFormats } from "../../energy-files/csv/cell-time.js";
import {
  type CsvMapping,
  csvEncodings,
  type IntervalContent,
  type QualityColumn,
  type SessionContent,
  type ValueColumn,
  valueDirections,
} from "../../energy-files/csv/csv-mapping.js";
import { type ExactNumber, exactNumber } from "../../energy-files/exact-number.js";
import { timeZoneOf } from "../../energy-files/time-zone.js";
import { CliError, exitCodes } from "../text/cli-error.js";
import { readTime } from "../text/time-text.js";

const fileBytesMax = 64 * 1024 * 1024;

function text(what: string) {
  return z.string({ error: what }).min(1, { error: what }).max(1000, { error: what });
}

const column = () => text("the name of a column, in quotes if it is a number");
const columns = () => field.listOf(column(), "names of columns").min(1);
const words = () => field.listOf(z.string({ error: "text in quotes" }), "what cells say");

function decimal() {
  const error = "a number, such as 4 or 0.001";
  return z
    .union([z.number(), z.string()], { error })
    .transform(String)
    .refine((value) => (exactNumber(value, ".")?.amount ?? 0n) > 0n, { error });
}

function zone() {
  const error = "a time zone such as Europe/Berlin, or an offset such as +01:00";
  return z.string({ error }).refine((name) => timeZoneOf(name) !== undefined, { error });
}

function namesToIds(what: string) {
  const error = `a mapping from names in the file to ids of ${what}`;
  return z.record(z.string(), field.deviceId(), { error });
}

const mappingSchema = field.mapping({
  delimiter: z.string().refine((value) => [...value].length === 1, { error: "one character" }),
  decimal_mark: field.oneOf([".", ","]),
  encoding: field.oneOf(csvEncodings).optional(),
  header_line: field.integer(0, 1000),
  absent: words(),
  zone: zone().optional(),
  time: field
    .mapping({
      column: column().optional(),
      columns: columns().optional(),
      format: field.oneOf(timeFormats).optional(),
      stamp: field.oneOf(["start", "end"]).optional(),
      first: text("the time of number 1 with its offset, such as 2026-01-01T00:00:00Z").optional(),
    })
    .optional(),
  interval_s: field.integer(1, 86_400, "s").optional(),
  meter_column: column().optional(),
  values: field
    .listOf(
      field.mapping({
        column: column().optional(),
        columns: columns().optional(),
        meter: text("the name of a meter").optional(),
        direction: field.oneOf(valueDirections),
        unit: field.oneOf(energyUnits).optional(),
        scale: z
          .union([decimal(), z.record(z.string(), decimal())], {
            error: "a number, or a mapping from names of meters to numbers",
          })
          .optional(),
      }),
      "columns with values",
    )
    .optional(),
  quality: field
    .mapping({
      column: column(),
      measured: words().optional(),
      estimated: words().optional(),
      substituted: words().optional(),
      absent: words().optional(),
    })
    .optional(),
  sessions: field
    .mapping({
      station_column: column(),
      session_column: column(),
      owner_column: column().optional(),
      start_column: column(),
      end_column: column(),
      energy_column: column(),
      unit: field.oneOf(["Wh", "kWh", "MWh"]),
      time_format: field.oneOf(timeFormats),
    })
    .optional(),
  meters: namesToIds("meters").default({}),
  stations: namesToIds("charging stations").default({}),
});

const partialSchema = mappingSchema.partial();

/** What a mapping file or options say; names as in the file. */
export type MappingText = z.output<typeof partialSchema>;

/** The same as something to read files by. */
export type ImportMapping = {
  /** "the command line", or the name of the file. */
  readonly name: string;
  /** Of all that it says, hex. */
  readonly digest: string;
  readonly text: MappingText;
  readonly meterIds: ReadonlyMap<string, string>;
  readonly stationIds: ReadonlyMap<string, string>;
};

/** Reads and checks a mapping file. Throws `ConfigError`. */
export function readMappingFile(file: string): MappingText {
  return readYamlFile(file, partialSchema, {
    bytesMax: fileBytesMax,
    whenMissing: "give the path of a mapping file; 'bss import detect FILE' proposes one",
  });
}

/** What options say goes before what the file says, key by key; lists and names are joined. */
export function mergedMapping(
  name: string | undefined,
  file: MappingText,
  options: MappingText,
): ImportMapping {
  const text: MappingText = {
    ...file,
    ...options,
    ...((file.time ?? options.time) ? { time: { ...file.time, ...options.time } } : {}),
    values: options.values?.length ? options.values : file.values,
    meters: { ...file.meters, ...options.meters },
    stations: { ...file.stations, ...options.stations },
  };
  return {
    name: name ?? "the command line",
    digest: toHex(sha256(utf8(JSON.stringify(sorted(text))))),
    text,
    meterIds: new Map(Object.entries(text.meters ?? {})),
    stationIds: new Map(Object.entries(text.stations ?? {})),
  };
}

/** The mapping as the CSV reader takes it. Throws `CliError` for what is left open. */
export function csvMappingOf({ text }: ImportMapping): CsvMapping {
  const { encoding } = text;
  return {
    delimiter: text.delimiter ?? ",",
    decimalMark: text.decimal_mark ?? ".",
    ...(encoding !== undefined && { encoding }),
    headerLine: text.header_line ?? 1,
    absent: text.absent ?? ["NA", "N/A", "NaN", "null", "-"],
    content: text.sessions === undefined ? intervalsOf(text) : sessionsOf(text.sessions),
  };
}

function intervalsOf(text: MappingText): IntervalContent {
  const { time, interval_s, meter_column, values = [], quality } = text;
  const timeColumns = oneOrMore("time", time ?? {});
  const format = time?.format ?? missing("time.format", "--time-format");
  const stamp = time?.stamp ?? missing("time.stamp", "--stamp start or --stamp end");
  if (values.length === 0) throw missing("values", "--imported COLUMN or --exported COLUMN");
  const first = format === "count" ? firstOf(time?.first) : undefined;
  return {
    kind: "intervals",
    time: { columns: timeColumns, format, stamp, ...(first !== undefined && { firstS: first }) },
    ...(interval_s !== undefined && { intervalS: interval_s }),
    ...(meter_column !== undefined && { meterColumn: meter_column }),
    values: values.map((value, index): ValueColumn => {
      const unit = value.unit ?? missing(`values[${index}].unit`, "--unit kWh");
      const { meter, scale } = value;
      return {
        columns: oneOrMore(`values[${index}]`, value),
        direction: value.direction,
        unit,
        ...(meter !== undefined && { meter }),
        ...(scale !== undefined && { scale: scaleOf(scale) }),
      };
    }),
    ...(quality !== undefined && { quality: qualityOf(quality) }),
  };
}

function sessionsOf(sessions: NonNullable<MappingText["sessions"]>): SessionContent {
  return {
    kind: "sessions",
    stationColumn: sessions.station_column,
    sessionColumn: sessions.session_column,
    ...(sessions.owner_column !== undefined && { ownerColumn: sessions.owner_column }),
    startColumn: sessions.start_column,
    endColumn: sessions.end_column,
    timeFormat: sessions.time_format,
    energyColumn: sessions.energy_column,
    unit: sessions.unit,
  };
}

type Columns = { readonly column?: string | undefined; readonly columns?: string[] | undefined };

function oneOrMore(path: string, { column, columns = [] }: Columns): readonly string[] {
  const all = column === undefined ? columns : [column, ...columns];
  if (all.length > 0) return all;
  throw missing(`${path}.column`, path === "time" ? "--time COLUMN" : "--imported COLUMN");
}

function scaleOf(scale: string | Record<string, string>): ExactNumber | Map<string, ExactNumber> {
  const exact = (value: string) => exactNumber(value, ".") ?? { amount: 1n, per: 1n };
  if (typeof scale === "string") return exact(scale);
  return new Map(Object.entries(scale).map(([name, value]) => [name, exact(value)]));
}

function qualityOf({ column, ...said }: NonNullable<MappingText["quality"]>): QualityColumn {
  const kinds = ["measured", "estimated", "substituted", "absent"] as const;
  const entries = kinds.flatMap((kind) => (said[kind] ?? []).map((word) => [word, kind] as const));
  return { column, words: new Map(entries) };
}

function firstOf(first: string | undefined): number {
  if (first === undefined) throw missing("time.first", "--first TIME");
  const read = readTime(first, { nowMs: Date.now() });
  if (read.ok) return read.value.ms / 1000;
  const next = "write it with its offset from UTC, such as 2026-01-01T00:00:00+01:00";
  throw new CliError(`time.first of the mapping is no time: ${read.error}`, next);
}

function missing(key: string, option: string): never {
  throw new CliError(
    `the mapping does not say ${key}`,
    `give ${option}, or say it in a mapping file; 'bss import detect FILE' proposes one`,
    { exitCode: exitCodes.usage },
  );
}

/** The same value with keys in order, so that equal mappings have one digest. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]),
  );
}
