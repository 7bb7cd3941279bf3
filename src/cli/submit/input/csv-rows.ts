/**
 * Reading CSV files as they come: row by row, however large the file. A row that cannot be read is
 * a problem of that row. What ends the reading is a header that does not fit, and another header in
 * the middle, after which values may stand in other columns.
 */
import { pipeline } from "node:stream";
import { type Info, parse } from "csv-parse";
import { csvText } from "../../../energy-files/csv/csv-text.js";
import type { Input } from "../../sending/input.js";
import { RowProblem } from "../../sending/row-problem.js";
import { CliError } from "../../text/cli-error.js";
import type { TimeOptions } from "../../text/time-text.js";
import { Cells, type FieldSource } from "./cell-values.js";
import { type ColumnOptions, type ColumnUse, columnUses, looksLikeHeader } from "./csv-header.js";

export type CsvRow = {
  /** Line of the file on which the row ends, from 1. */
  readonly line: number;
  readonly cells: Cells | RowProblem;
};

export type CsvOptions = ColumnOptions & {
  readonly delimiter: string;
  readonly time: TimeOptions;
  /** Told once which columns of the file mean nothing here. */
  readonly onIgnored?: (columns: readonly string[]) => void;
  /** Told of each line that only says the header again, as in files that were joined. */
  readonly onRepeatedHeader?: (line: number) => void;
};

type Parsed = { readonly record: readonly string[]; readonly info: Info };

const rowBytesMax = 1024 * 1024;

/**
 * The rows of a CSV file with a header, counted, after the whole of it was looked at: a file that
 * does not fit is refused before anything of it is used. Throws `CliError`.
 */
export async function surveyRows(input: Input, options: CsvOptions): Promise<number> {
  let rows = 0;
  for await (const _ of csvRows(input, options)) rows += 1;
  return rows;
}

/** The rows of a CSV file with a header. Throws `CliError` for a file that does not fit. */
export async function* csvRows(input: Input, options: CsvOptions): AsyncGenerator<CsvRow> {
  let broken: CsvRow[] = [];
  const parser = parse({
    info: true,
    ltrim: true,
    delimiter: options.delimiter,
    record_delimiter: "\n",
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: rowBytesMax,
    // A quote in the wrong place then stays in its value, which is a problem of that row alone.
    relax_quotes: true,
    skip_records_with_error: true,
  });
  parser.on("skip", (error?: { readonly message: string; readonly lines?: number }) => {
    const why = (error?.message ?? "cannot be read").replaceAll(/\s+/g, " ");
    broken.push({ line: error?.lines ?? 0, cells: new RowProblem(why) });
  });
  // The iterator below sees every error: pipeline destroys the parser with it.
  pipeline(csvText(input.read()), parser, () => {});
  let table: Table | undefined;
  let rows = 0;
  for await (const { record, info } of parser as AsyncIterable<Parsed>) {
    const texts = record.map((text) => text.trim());
    // The parser is ahead, so it may have complained about rows further below.
    const above = broken.filter(({ line }) => line < info.lines);
    if (table === undefined && above.length > 0) break;
    broken = broken.filter((row) => !above.includes(row));
    rows += above.length;
    yield* above;
    if (table === undefined) table = new Table(input.label, texts, options);
    else if (table.isHeader(texts, info.lines)) options.onRepeatedHeader?.(info.lines);
    else {
      rows += 1;
      yield { line: info.lines, cells: table.cellsOf(texts) };
    }
  }
  if (table === undefined) throw noHeader(input.label, broken[0]);
  yield* broken;
  if (rows + broken.length > 0) return;
  const what = `${input.label} has a header and no rows`;
  throw new CliError(what, "give a file with rows below its header");
}

class Table {
  readonly #label: string;
  readonly #names: readonly string[];
  readonly #options: CsvOptions;
  readonly #uses: readonly ColumnUse[];

  constructor(label: string, names: readonly string[], options: CsvOptions) {
    this.#label = label;
    this.#names = names;
    this.#options = options;
    this.#uses = columnUses(label, names, options);
    const ignored = this.#uses.filter(({ field }) => field === undefined);
    if (ignored.length > 0) options.onIgnored?.(ignored.map(({ column }) => column));
  }

  /** Whether a line says the header again. Throws `CliError` when it is another header. */
  isHeader(texts: readonly string[], line: number): boolean {
    const [first = "", ...others] = texts;
    const names = [first.replace(/^\uFEFF/, ""), ...others];
    if (names.length === this.#names.length && names.every((name, i) => name === this.#names[i])) {
      return true;
    }
    if (!looksLikeHeader(names, this.#options.kind)) return false;
    throw new CliError(
      `${this.#label}:${line}: this line is another header, with other columns`,
      "nothing was sent; split the file before this line and submit each part",
    );
  }

  cellsOf(texts: readonly string[]): Cells | RowProblem {
    const uses = this.#uses;
    const isPadded = uses.slice(texts.length).every((_, i) => this.#isUnnamed(texts.length + i));
    if (!isPadded || texts.slice(uses.length).some((text) => text !== "")) {
      return new RowProblem(`has ${texts.length} values, the header has ${uses.length} columns`);
    }
    const sources = new Map<string, FieldSource[]>();
    for (const [field, text] of this.#options.constants) {
      sources.set(field, [{ column: `--set ${field}`, text }]);
    }
    for (const [index, { column, field }] of uses.entries()) {
      if (field === undefined) continue;
      const source = { column, text: texts[index] ?? "" };
      sources.set(field, [...(sources.get(field) ?? []), source]);
    }
    const { time, kind } = this.#options;
    return new Cells(sources, time, kind.times);
  }

  #isUnnamed(index: number): boolean {
    return this.#names[index] === "";
  }
}

function noHeader(label: string, broken: CsvRow | undefined): CliError {
  if (broken?.cells instanceof RowProblem) {
    return new CliError(
      `${label}: the header cannot be read: ${broken.cells.message}`,
      "correct the first line",
    );
  }
  return new CliError(`${label} is empty`, "give a CSV file with a header in its first line");
}
