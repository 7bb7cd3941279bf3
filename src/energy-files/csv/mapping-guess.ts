/**
 * What a CSV file may mean, from its beginning. Each finding says how sure it is and why, so that a
 * person can check it; what the file does not tell stays open.
 */
import { TextDecoder } from "node:util";
import { type Info, parse } from "csv-parse/sync";
import { exactNumber } from "../exact-number.js";
import { cellTime, type TimeFormat, timeFormats } from "./cell-time.js";
import { encodingByMark } from "./csv-text.js";

export type Certainty = "sure" | "likely" | "open";

/** One key of a mapping file. */
export type Finding = {
  readonly key: string;
  /** Of an open finding: an example. */
  readonly value: unknown;
  readonly certainty: Certainty;
  /** For people. */
  readonly why: string;
};

type Row = { readonly line: number; readonly cells: readonly string[] };
type Column = { readonly name: string; readonly cells: readonly string[] };

/** The format of times; `isAlone` if no other format fits. */
type TimeColumn = {
  readonly columns: readonly Column[];
  readonly format: TimeFormat;
  readonly others: readonly TimeFormat[];
  /** Per row; NaN where there is none. */
  readonly localMs: readonly number[];
  readonly needsZone: boolean;
};

const rowsMax = 500;
const delimiters = [",", ";", "\t", "|"];
const emptyWords = ["", "NA", "N/A", "NaN", "null", "-"];
const meterName =
  /meter|customer|nmi|z(ä|ae)hl|building|home|house|point|ean|malo|melo|identifier|serial|\bid\b/i;
const energyWords =
  "wh|load|import|export|consum|generat|solar|usage|supply|power|energy|net|" +
  "bezug|einspeis|verbrauch|liefer|produ";
const energyName = new RegExp(`${energyWords}|(?<![a-z])[km]?w\\b`, "i");
const stationName = /station|evse|charg|garage|user|connector/i;
const sessionName = /session|transaction|cdr|\bid\b/i;
const [startName, endName] = [/start|begin|von|from|plug_?in/i, /end|ende|bis|stop|plug_?out/i];
const exportName = /export|generat|solar|einspeis|produ|feed|return|lieferung|given|pv/i;

/** `isWhole`: the beginning is all of the file. */
export function guessMapping(beginning: Uint8Array, isWhole: boolean): readonly Finding[] {
  const encoding = guessEncoding(beginning);
  const decoded = new TextDecoder(String(encoding.value)).decode(beginning);
  const text = decoded.replaceAll(/\r\n?/g, "\n");
  const complete = isWhole ? text : text.slice(0, text.lastIndexOf("\n") + 1);
  const { finding: delimiter, rows } = guessDelimiter(complete);
  const header = guessHeader(rows);
  const columns = columnsOf(rows, Number(header.value));
  const time = timeColumnOf(columns);
  const rest = columns.filter((column) => time?.columns.includes(column) !== true);
  const decimalMark = guessDecimalMark(rest);
  const mark = decimalMark.value === "," ? "," : ".";
  const sessions = guessSessions(columns, mark);
  if (sessions !== undefined) {
    return [encoding, delimiter, header, decimalMark, ...zoneFindings(time), sessions];
  }
  const meter = guessMeterColumn(rest, time);
  const numbers = rest.filter(
    (column) => column.name !== meter?.value && areNumbers(column.cells, mark),
  );
  return [
    encoding,
    delimiter,
    header,
    decimalMark,
    ...timeFindings(time, columns, meter),
    ...(meter === undefined ? [] : [meter]),
    valuesOf(numbers, mark, meter !== undefined),
  ];
}

function guessEncoding(bytes: Uint8Array): Finding {
  const key = "encoding";
  const marked = encodingByMark(bytes);
  if (marked !== undefined) {
    return { key, value: marked, certainty: "sure", why: "the file has a byte order mark" };
  }
  const zeros = bytes.filter((byte) => byte === 0).length;
  if (zeros > bytes.length / 4) {
    const value = bytes[0] === 0 ? "utf-16be" : "utf-16le";
    return { key, value, certainty: "likely", why: "every other byte is 0" };
  }
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return { key, value: "utf-8", certainty: "sure", why: "all of the beginning is UTF-8" };
  } catch {
    const why = "it is not UTF-8; check letters such as ä and é";
    return { key, value: "windows-1252", certainty: "likely", why };
  }
}

function guessDelimiter(text: string): { finding: Finding; rows: readonly Row[] } {
  const tried = delimiters
    .map((delimiter) => {
      const rows = parsed(text, delimiter);
      const widths = rows.map(({ cells }) => cells.length);
      const width = mostFrequent(widths) ?? 1;
      const fitting = widths.filter((each) => each === width).length;
      return { delimiter, rows, width, share: width > 1 ? fitting / widths.length : 0 };
    })
    .toSorted((a, b) => b.share - a.share || b.width - a.width);
  const [best, second] = tried;
  const value = best?.delimiter ?? ",";
  const isSure = best !== undefined && best.share > 0.9 && (second?.share ?? 0) < best.share;
  const why =
    best === undefined || best.share === 0
      ? "no character divides the rows evenly"
      : `${Math.round(best.share * 100)} % of the rows have ${best.width} columns with it`;
  const certainty = isSure ? "sure" : "likely";
  return { finding: { key: "delimiter", value, certainty, why }, rows: best?.rows ?? [] };
}

function parsed(text: string, delimiter: string): readonly Row[] {
  const records = parse(text, {
    info: true,
    bom: true,
    delimiter,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    to: rowsMax,
  }) as unknown as readonly { readonly record: readonly string[]; readonly info: Info }[];
  return records.map(({ record, info }) => ({
    line: info.lines,
    cells: record.map((cell) => cell.trim()),
  }));
}

function guessHeader(rows: readonly Row[]): Finding {
  const key = "header_line";
  const width = mostFrequent(rows.map(({ cells }) => cells.length));
  const header = rows.find(({ cells }, i) => {
    const next = rows[i + 1]?.cells ?? [];
    return cells.length === width && !cells.some(isValue) && next.some(isValue);
  });
  if (header === undefined) {
    return {
      key,
      value: 0,
      certainty: "likely",
      why: "no line has only names; columns are 1, 2, 3",
    };
  }
  const isFirst = header === rows[0];
  const why = isFirst ? "the first line has names and no numbers" : "lines before it are no table";
  return { key, value: header.line, certainty: isFirst ? "sure" : "likely", why };
}

function columnsOf(rows: readonly Row[], headerLine: number): readonly Column[] {
  const header = rows.find(({ line }) => line === headerLine)?.cells;
  const data = rows.filter(({ line }) => line > headerLine);
  const names = header ?? (rows[0]?.cells ?? []).map((_, index) => String(index + 1));
  return names.map((name, index) => ({
    name,
    cells: data.map(({ cells }) => cells[index] ?? ""),
  }));
}

function timeColumnOf(columns: readonly Column[]): TimeColumn | undefined {
  const found = columns.flatMap((column) => timeOf([column]) ?? []);
  const clock = columns.find(({ cells }) => cells.every((cell) => /^\d{1,2}:\d{2}/.test(cell)));
  const [first] = found;
  if (first === undefined || clock === undefined) {
    return (
      found.find(({ columns: [column] }) => !/end|ende|bis/i.test(column?.name ?? "")) ?? first
    );
  }
  return timeOf([...first.columns, clock]) ?? first;
}

function timeOf(columns: readonly Column[]): TimeColumn | undefined {
  const rows =
    columns[0]?.cells.map((_, i) => columns.map(({ cells }) => cells[i]).join(" ")) ?? [];
  const texts = rows.filter((text) => !emptyWords.includes(text.trim()));
  if (texts.length === 0) return undefined;
  const fitting = timeFormats.filter(
    (format) => format !== "count" && texts.every((text) => cellTime(text, format).ok),
  );
  const [format] = fitting;
  if (format === undefined) return undefined;
  const reads = rows.map((text) => cellTime(text, format));
  return {
    columns,
    format,
    others: fitting.slice(1),
    localMs: reads.map((read) => (read.ok ? read.value.localMs : Number.NaN)),
    needsZone: reads.some((read) => read.ok && !read.value.isUnix),
  };
}

function guessDecimalMark(columns: readonly Column[]): Finding {
  const key = "decimal_mark";
  const cells = columns.flatMap((column) => column.cells);
  const commas = cells.filter((cell) => /^[+-]?\d*,\d+(e[+-]?\d+)?$/i.test(cell)).length;
  const points = cells.filter((cell) => /^[+-]?\d*\.\d+(e[+-]?\d+)?$/i.test(cell)).length;
  const value = commas > points ? "," : ".";
  const why = `${commas} numbers have a comma and ${points} a point`;
  const certainty = commas > 0 === points > 0 ? "likely" : "sure";
  return { key, value, certainty, why };
}

function timeFindings(
  time: TimeColumn | undefined,
  columns: readonly Column[],
  meter: Finding | undefined,
): readonly Finding[] {
  if (time === undefined) {
    const example = { column: "Time", format: "dd.mm.yyyy", stamp: "start" };
    const why = "no column has times in a known format (see the format count for numbers of rows)";
    return [{ key: "time", value: example, certainty: "open", why }];
  }
  const names = time.columns.map(({ name }) => name);
  const named = names.length === 1 ? { column: names[0] } : { columns: names };
  const stepS = intervalOf(
    time,
    columns.find(({ name }) => name === meter?.value),
  );
  const stamp = guessStamp(names.join(" "), time.localMs, stepS);
  const formats =
    time.others.length === 0
      ? `only the format ${time.format} fits`
      : `the formats ${[time.format, ...time.others].join(" and ")} fit: add the right one`;
  const value = {
    ...named,
    ...(time.others.length === 0 && { format: time.format }),
    ...(stamp.value !== undefined && { stamp: stamp.value }),
  };
  const findings: Finding[] = [
    { key: "time", value, certainty: "likely", why: `${formats}; ${stamp.why}` },
    ...zoneFindings(time),
  ];
  if (stepS !== undefined && stepS <= 86_400) {
    const why = "most rows of a meter are so far apart";
    findings.push({ key: "interval_s", value: stepS, certainty: "likely", why });
  }
  return findings;
}

function zoneFindings(time: TimeColumn | undefined): readonly Finding[] {
  if (time?.needsZone !== true) return [];
  const why = "times have no offset from UTC: give the zone of their clocks";
  return [{ key: "zone", value: "Europe/Berlin", certainty: "open", why }];
}

/** Rows with a start and an end, a station and an energy. */
function guessSessions(columns: readonly Column[], mark: "." | ","): Finding | undefined {
  const times = columns.filter((column) => timeOf([column]) !== undefined);
  const start = times.find(({ name }) => startName.test(name));
  const end = times.find(({ name }) => endName.test(name) && name !== start?.name);
  const others = columns.filter((column) => !times.includes(column));
  const station = others.find(({ name, cells }) => stationName.test(name) && !isUnique(cells));
  const session = others.find(({ name, cells }) => sessionName.test(name) && isUnique(cells));
  const energy = others.find(({ name, cells }) => unitOf(name) && areNumbers(cells, mark));
  const format = start && timeOf([start])?.format;
  if (!(start && end && station && session && energy && format)) return undefined;
  const value = {
    station_column: station.name,
    session_column: session.name,
    start_column: start.name,
    end_column: end.name,
    energy_column: energy.name,
    unit: unitOf(energy.name),
    time_format: format,
  };
  const why = "each row has a start, an end and an energy; check which column is the station";
  return { key: "sessions", value, certainty: "likely", why };
}

function isUnique(cells: readonly string[]): boolean {
  return new Set(cells).size === cells.length;
}

function intervalOf(time: TimeColumn, meter: Column | undefined): number | undefined {
  const last = new Map<string, number>();
  const steps = time.localMs.flatMap((ms, i) => {
    const name = meter?.cells[i] ?? "";
    const before = last.get(name);
    last.set(name, ms);
    return before === undefined || !(ms > before) ? [] : [(ms - before) / 1000];
  });
  return mostFrequent(steps);
}

function guessStamp(
  name: string,
  localMs: readonly number[],
  stepS: number | undefined,
): { readonly value?: "start" | "end"; readonly why: string } {
  if (/end|ende|bis|settlement|\bto\b/i.test(name)) {
    return { value: "end", why: "its name says that it is the end of the interval" };
  }
  if (/start|begin|von|from/i.test(name)) {
    return { value: "start", why: "its name says that it is the start of the interval" };
  }
  const intoDayS = ((localMs[0] ?? 0) / 1000) % 86_400;
  if (stepS !== undefined && intoDayS === stepS) {
    return {
      value: "end",
      why: "the file begins one interval after midnight, perhaps with its end",
    };
  }
  return { why: "add stamp: start or end, whichever end of the interval the time is" };
}

/** The column that makes rows of one time different. */
function guessMeterColumn(
  columns: readonly Column[],
  time: TimeColumn | undefined,
): Finding | undefined {
  const key = "meter_column";
  const times = time?.localMs ?? [];
  const repeats = new Set(times).size < times.length;
  const dividing = columns.find(({ name, cells }) => {
    const pairs = new Set(cells.map((cell, i) => `${cell} ${times[i]}`));
    const isEven = pairs.size === cells.length && new Set(cells).size < cells.length;
    return repeats && isEven && !cells.some((cell) => /[.,]\d/.test(cell)) && name !== "";
  });
  if (dividing !== undefined) {
    const why = "times repeat, and this column tells the rows of one time apart";
    return { key, value: dividing.name, certainty: "likely", why };
  }
  const named = columns.find(
    ({ name, cells }) =>
      meterName.test(name) && !energyName.test(name) && new Set(cells).size <= cells.length / 2,
  );
  if (named === undefined) return undefined;
  return { key, value: named.name, certainty: "likely", why: "its name, and its values repeat" };
}

function valuesOf(numbers: readonly Column[], mark: "." | ",", meterIsRow: boolean): Finding {
  const named = numbers.filter(({ name }) => energyName.test(name));
  const chosen = named.length > 0 ? named : numbers;
  const open: string[] = [];
  const values = chosen.slice(0, 50).map(({ name, cells }) => {
    const unit = unitOf(name);
    const isSigned = cells.some((cell) => (exactNumber(cell, mark)?.amount ?? 0n) < 0n);
    if (unit === undefined) open.push(name);
    const direction = isSigned ? "net" : exportName.test(name) ? "exported" : "imported";
    return { column: name, direction, ...(unit !== undefined && { unit }) };
  });
  if (values.length === 0) {
    const example = [{ column: "Import", direction: "imported", unit: "kWh" }];
    return { key: "values", value: example, certainty: "open", why: "no column has numbers" };
  }
  const layout = meterIsRow ? "meters are rows" : "meters are columns, or there is one";
  const units = open.length === 0 ? "names say the units" : `add the unit of ${open.join(", ")}`;
  const why = `${layout}; ${units}; check the directions`;
  return { key: "values", value: values, certainty: "likely", why };
}

function unitOf(name: string): string | undefined {
  const found = /(?<![a-z])(kWh|MWh|Wh|kW|MW|W)(?![a-z])/i.exec(name.replaceAll("_", " "))?.[1];
  return ["kWh", "MWh", "Wh", "kW", "MW", "W"].find(
    (unit) => unit.toLowerCase() === found?.toLowerCase(),
  );
}

function isValue(cell: string): boolean {
  return /^[+-]?[\d.,:/ -]*\d[\d.,:/ -]*$/.test(cell) || cellTime(cell, "iso").ok;
}

function areNumbers(cells: readonly string[], mark: "." | ","): boolean {
  const texts = cells.filter((cell) => !emptyWords.includes(cell));
  return texts.length > 0 && texts.every((text) => exactNumber(text, mark) !== undefined);
}

function mostFrequent(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}
