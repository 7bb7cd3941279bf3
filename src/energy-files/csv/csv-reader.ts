/**
 * Reads CSV files by a mapping, which says what their columns mean: a mapping can describe most of
 * what utilities and portals export, and nothing is taken that it does not name.
 */

import { type ExactNumber, exactNumber, product } from "../exact-number.js";
import {
  type FileItem,
  type FileProblem,
  type FileReader,
  FileUnreadable,
  type IntervalValue,
  type ReaderOptions,
} from "../file-values.js";
import { energyOf, whyNoNumber } from "./cell-number.js";
import { cellTime } from "./cell-time.js";
import { CsvColumns } from "./csv-columns.js";
import type { CsvMapping, IntervalContent, SessionContent, ValueColumn } from "./csv-mapping.js";
import { type CsvRecord, csvRecords } from "./csv-records.js";
import { type Placed, RepeatedHours } from "./repeated-hours.js";

/** What is known of a meter besides the file. */
export type MeterFacts = {
  /** s, by the name in the file; undefined for a meter that nobody knows. */
  readonly intervalSOf: (meterName: string) => number | undefined;
};

export function csvReader(mapping: CsvMapping, facts: MeterFacts): FileReader {
  return async function* read(chunks, options) {
    let rows: RowReader | undefined;
    let header: readonly string[] = [];
    for await (const record of csvRecords(chunks, mapping)) {
      if (rows === undefined) {
        if (record.broken !== undefined) break;
        header = record.cells;
        rows = rowReaderOf(mapping, new CsvColumns(header, mapping), { facts, options });
        if (mapping.headerLine > 0) continue;
      }
      if (record.broken !== undefined) yield problem(record.line, record.broken);
      else if (mapping.headerLine > 0 && isSame(record.cells, header)) continue;
      else if (!fits(record.cells, header)) {
        const message = `has ${record.cells.length} cells, the header has ${header.length}`;
        yield problem(record.line, message);
      } else yield* rows.add(record);
    }
    if (rows === undefined) {
      throw new FileUnreadable("the file has no header", "check header_line, and the file");
    }
    yield* rows.end();
  };
}

type RowReader = {
  readonly add: (record: CsvRecord) => readonly FileItem[];
  readonly end: () => readonly FileItem[];
};

type Context = { readonly facts: MeterFacts; readonly options: ReaderOptions };

function rowReaderOf(mapping: CsvMapping, columns: CsvColumns, context: Context): RowReader {
  const { content } = mapping;
  if (content.kind === "intervals") return new IntervalRows(mapping, content, columns, context);
  return {
    add: (record) => [sessionOf(record, mapping, content, columns, context.options)],
    end: () => [],
  };
}

/** A row whose moment is to be found; `meterName` is undefined where meters are columns. */
type TimedRow = { readonly record: CsvRecord; readonly meterName: string | undefined };

class IntervalRows implements RowReader {
  readonly #mapping: CsvMapping;
  readonly #content: IntervalContent;
  readonly #columns: CsvColumns;
  readonly #values: readonly ValueColumn[];
  readonly #facts: MeterFacts;
  readonly #repeated: RepeatedHours<TimedRow> | undefined;

  constructor(
    mapping: CsvMapping,
    content: IntervalContent,
    columns: CsvColumns,
    { facts, options: { zone } }: Context,
  ) {
    this.#mapping = mapping;
    this.#content = content;
    this.#columns = columns;
    this.#values = columns.valueColumns(content);
    this.#facts = facts;
    this.#repeated = zone && new RepeatedHours(zone, content.time.stamp);
  }

  add(record: CsvRecord): readonly FileItem[] {
    const { meterColumn, time } = this.#content;
    const meterName =
      meterColumn === undefined ? undefined : this.#columns.cell(record.cells, meterColumn);
    if (meterName === "") return [problem(record.line, "is empty", meterColumn)];
    const row = { record, meterName };
    const column = time.columns.join(" ");
    const text = time.columns.map((name) => this.#columns.cell(record.cells, name)).join(" ");
    const refuse = (why: string) => [
      problem(record.line, `${shown(text)} is no time: ${why}`, column, meterName),
    ];
    const intervalS = this.#intervalSOf(meterName ?? this.#values[0]?.meter ?? "");
    if (time.format === "count") {
      if (!/^[1-9]\d{0,8}$/.test(text)) return refuse("expected a whole number, 1 or more");
      const { firstS } = time;
      if (firstS === undefined || intervalS === undefined)
        return refuse("the interval is not known");
      return this.#itemsOf(row, firstS + (Number(text) - 1) * intervalS);
    }
    const read = cellTime(text.trim(), time.format);
    if (!read.ok) return refuse(read.error);
    const { localMs, isUnix } = read.value;
    if (isUnix) return this.#itemsOf(row, localMs / 1000);
    if (this.#repeated === undefined) return refuse("it has no time zone; give the zone");
    const placed = this.#repeated.add(meterName ?? "", row, localMs, (intervalS ?? 0) * 1000);
    return placed.flatMap((each) => this.#placed(each));
  }

  end(): readonly FileItem[] {
    return (this.#repeated?.end() ?? []).flatMap((each) => this.#placed(each));
  }

  #placed(placed: Placed<TimedRow>): readonly FileItem[] {
    if ("ms" in placed) return this.#itemsOf(placed.row, placed.ms / 1000);
    const { record, meterName } = placed.row;
    const column = this.#content.time.columns.join(" ");
    const text = this.#content.time.columns.map((name) => this.#columns.cell(record.cells, name));
    return [problem(record.line, `${shown(text.join(" "))}: ${placed.problem}`, column, meterName)];
  }

  #intervalSOf(meterName: string): number | undefined {
    return this.#content.intervalS ?? this.#facts.intervalSOf(meterName);
  }

  /** `stampS`, Unix s, is the start or the end of the row's interval. */
  #itemsOf({ record, meterName }: TimedRow, stampS: number): readonly FileItem[] {
    const quality = this.#qualityOf(record);
    if (quality === "absent") return [];
    if (typeof quality !== "string") return [quality];
    return this.#values.flatMap((value): readonly FileItem[] => {
      const name = meterName ?? value.meter ?? value.columns[0] ?? "";
      const column = value.columns.join(" + ");
      const intervalS = this.#intervalSOf(name);
      const refuse = (why: string) => [problem(record.line, why, column, name)];
      const number = this.#sumOf(record, value, name);
      if (number === undefined) return [];
      if (typeof number === "string") return refuse(number);
      if (intervalS === undefined) return refuse("the meter's interval is not known");
      const startS = this.#content.time.stamp === "start" ? stampS : stampS - intervalS;
      const place = { line: record.line, column };
      const energy = energyOf(number, value.unit, intervalS);
      const base = { kind: "value", place, meterName: name, startS, intervalS, quality } as const;
      const { direction } = value;
      if (direction === "imported" || direction === "exported") {
        if (energy.amount < 0n) {
          return refuse(
            `is negative; if its sign is the direction, its direction is "net" (positive is ` +
              `imported) or "net-exported"`,
          );
        }
        return [{ ...base, direction, energy }];
      }
      const importedSign = direction === "net" ? 1n : -1n;
      const imported = energy.amount * importedSign;
      const positive = (amount: bigint) => ({
        amount: amount > 0n ? amount : 0n,
        perWh: energy.perWh,
      });
      return [
        { ...base, direction: "imported", energy: positive(imported) },
        { ...base, direction: "exported", energy: positive(-imported) },
      ];
    });
  }

  /** The value of a row, scaled; undefined when it is absent, a text when it is none. */
  #sumOf(
    { cells }: CsvRecord,
    { columns, scale }: ValueColumn,
    meterName: string,
  ): ExactNumber | string | undefined {
    let sum: ExactNumber | undefined;
    let absent = 0;
    for (const column of columns) {
      const text = this.#columns.cell(cells, column);
      if (isAbsent(text, this.#mapping)) {
        absent += 1;
        continue;
      }
      const number = exactNumber(text, this.#mapping.decimalMark);
      if (number === undefined) {
        return `${shown(text)} is no number; ${whyNoNumber(text, this.#mapping.decimalMark)}`;
      }
      sum = sum === undefined ? number : add(sum, number);
    }
    if (sum === undefined) return undefined;
    if (absent > 0) return "some of the columns that are added up have no value";
    if (scale === undefined) return sum;
    const factor = scale instanceof Map ? scale.get(meterName) : (scale as ExactNumber);
    return factor === undefined ? "the mapping has no scale for the meter" : product(sum, factor);
  }

  #qualityOf({ line, cells }: CsvRecord): IntervalValue["quality"] | "absent" | FileProblem {
    const { quality } = this.#content;
    if (quality === undefined) return "measured";
    const word = this.#columns.cell(cells, quality.column);
    const found = quality.words.get(word);
    const message = `${shown(word)} is no quality that the mapping names`;
    return found ?? problem(line, message, quality.column);
  }
}

function sessionOf(
  { line, cells }: CsvRecord,
  mapping: CsvMapping,
  content: SessionContent,
  columns: CsvColumns,
  { zone }: ReaderOptions,
): FileItem {
  const stationName = columns.cell(cells, content.stationColumn);
  const sessionName = columns.cell(cells, content.sessionColumn);
  const refuse = (message: string, column: string) => problem(line, message, column);
  if (stationName === "") return refuse("is empty", content.stationColumn);
  if (sessionName === "") return refuse("is empty", content.sessionColumn);
  const { ownerColumn } = content;
  const ownerName = ownerColumn === undefined ? undefined : columns.cell(cells, ownerColumn);
  if (ownerName === "") return refuse("is empty", ownerColumn ?? "");
  const times: number[] = [];
  for (const column of [content.startColumn, content.endColumn]) {
    const text = columns.cell(cells, column);
    if (isAbsent(text, mapping)) return refuse("has no time", column);
    const read = cellTime(text, content.timeFormat);
    if (!read.ok) return refuse(`${shown(text)} is no time: ${read.error}`, column);
    const { localMs, isUnix } = read.value;
    if (!isUnix && zone === undefined) {
      return refuse(`${shown(text)} has no time zone; give the zone`, column);
    }
    const moments = isUnix ? [localMs] : (zone?.momentsOf(localMs) ?? []);
    const [moment] = moments;
    if (moment === undefined || moments.length > 1) {
      const how = moment === undefined ? "leave this time out" : "show this time twice";
      return refuse(`${shown(text)}: clocks in ${zone?.name} ${how}`, column);
    }
    times.push(moment / 1000);
  }
  const text = columns.cell(cells, content.energyColumn);
  if (isAbsent(text, mapping)) return refuse("has no value", content.energyColumn);
  const number = exactNumber(text, mapping.decimalMark);
  if (number === undefined) {
    const why = `${shown(text)} is no number; ${whyNoNumber(text, mapping.decimalMark)}`;
    return refuse(why, content.energyColumn);
  }
  const [startS = 0, endS = 0] = times;
  const place = { line, column: content.energyColumn };
  const energy = energyOf(number, content.unit, 0);
  const owner = ownerName === undefined ? {} : { ownerName };
  return { kind: "session", place, stationName, sessionName, ...owner, startS, endS, energy };
}

function problem(line: number, message: string, column?: string, meterName?: string): FileProblem {
  return {
    kind: "problem",
    place: { line, ...(column !== undefined && { column }) },
    ...(meterName !== undefined && { meterName }),
    message,
  };
}

function isAbsent(text: string, { absent }: CsvMapping): boolean {
  return text === "" || absent.includes(text);
}

/** What is too much or missing may only be empty cells of columns without a name. */
function fits(cells: readonly string[], header: readonly string[]): boolean {
  return (
    cells.slice(header.length).every((cell) => cell === "") &&
    header.slice(cells.length).every((name) => name === "")
  );
}

function isSame(cells: readonly string[], header: readonly string[]): boolean {
  return cells.length === header.length && cells.every((cell, i) => cell === header[i]);
}

function add(a: ExactNumber, b: ExactNumber): ExactNumber {
  if (a.per === b.per) return { amount: a.amount + b.amount, per: a.per };
  return { amount: a.amount * b.per + b.amount * a.per, per: a.per * b.per };
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
