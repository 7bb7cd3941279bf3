/**
 * Rows of a CSV file by the names of their columns, one after the other, so that a file of any
 * length needs no more memory than its longest line.
 *
 * One line is one row: a line break inside quotes would make every later line number a guess, and a
 * quote that is never closed would swallow the rest of the file. Cells may stand in quotes.
 * Columns may stand in any order, with others between them.
 */
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { type Info, parse } from "csv-parse";
import { CliError } from "../../../src/cli/text/cli-error.js";
import type { DataProblems } from "./data-problems.js";
import { type Decimal, isAbove, isNegative, parseDecimal } from "./decimal.js";

export type CsvRow<Column extends string> = {
  /** From 1: the header is line 1. */
  readonly line: number;
  readonly cells: Readonly<Record<Column, string>>;
};

type Parsed = { readonly info: Info; readonly record: readonly string[] };

const lineBytesMax = 64 * 1024;

/**
 * The rows of a file with the named columns. A row with more or fewer cells than the header is
 * reported and left out. Throws `CliError` for a file that is missing, empty, without one of the
 * columns or no CSV at all.
 */
export async function* csvRows<Column extends string>(
  file: string,
  columns: readonly Column[],
  problems: DataProblems,
): AsyncGenerator<CsvRow<Column>, void, undefined> {
  let header: readonly string[] | undefined;
  for await (const { info, record } of parsedLines(file)) {
    const cells = record.map(unquoted);
    const line = info.lines;
    if (header === undefined) {
      header = cells.map((cell) => cell.trim());
      checkHeader(file, header, columns);
    } else if (cells.length === header.length) {
      yield { line, cells: cellsByName(header, cells, columns) };
    } else if (record.length === 1 && record[0] === "") {
      problems.add({ file, line, message: "the line is empty" });
    } else {
      const message = `${cells.length} cells, the header has ${header.length}`;
      problems.add({ file, line, message });
    }
  }
  if (header === undefined) {
    throw new CliError(`${file} is empty`, `it needs a header with ${columns.join(", ")}`);
  }
}

async function* parsedLines(file: string): AsyncGenerator<Parsed, void, undefined> {
  await access(file).catch((cause: unknown) => {
    const next = "check the path, or leave DEMO_DATA out for the data of this example";
    throw new CliError(`${file} cannot be read`, next, { cause });
  });
  const parser = parse({
    bom: true,
    info: true,
    quote: null,
    relax_column_count: true,
    max_record_size: lineBytesMax,
  });
  const source = createReadStream(file);
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const parsed of parser) yield parsed as Parsed;
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${file} is not a CSV file: ${what}`, "check the file", { cause });
  } finally {
    source.destroy();
  }
}

function checkHeader(file: string, header: readonly string[], columns: readonly string[]): void {
  const names = header.join(", ").slice(0, 200);
  for (const column of columns) {
    const times = header.filter((name) => name === column).length;
    if (times === 1) continue;
    const what =
      times === 0 ? `has no column ${column}` : `has the column ${column} ${times} times`;
    throw new CliError(`${file} ${what}`, `its header is: ${names}`);
  }
}

function cellsByName<Column extends string>(
  header: readonly string[],
  cells: readonly string[],
  columns: readonly Column[],
): Record<Column, string> {
  const named = columns.map((column) => [column, cells[header.indexOf(column)] ?? ""]);
  return Object.fromEntries(named) as Record<Column, string>;
}

function unquoted(cell: string): string {
  return /^"[^"]*"$/.test(cell) ? cell.slice(1, -1) : cell;
}

/** The cells of one row as numbers. A cell that is no number is reported with its column. */
export class CsvCells<Column extends string> {
  readonly #file: string;
  readonly #row: CsvRow<Column>;
  readonly #problems: DataProblems;

  constructor(file: string, row: CsvRow<Column>, problems: DataProblems) {
    this.#file = file;
    this.#row = row;
    this.#problems = problems;
  }

  text(column: Column): string {
    return this.#row.cells[column];
  }

  /** Undefined, after reporting it, for what is no whole number from `min` to `max`. */
  integer(column: Column, min: number, max: number): number | undefined {
    const text = this.text(column);
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
    return this.refuse(column, `${quote(text)} is no whole number from ${min} to ${max}`);
  }

  /** Undefined, after reporting it, for what is no decimal number from 0 to `max`. */
  amount(column: Column, max: number, unit: string): Decimal | undefined {
    const text = this.text(column);
    const value = parseDecimal(text);
    if (value === undefined) return this.refuse(column, `${quote(text)} is no decimal number`);
    if (isNegative(value)) return this.refuse(column, `${text} is negative`);
    if (!isAbove(value, max)) return value;
    return this.refuse(column, `${quote(text)} is more than ${max} ${unit}: is the unit right?`);
  }

  /** Reports the row, or one cell of it. */
  refuse(column: Column | undefined, message: string): undefined {
    const where = { file: this.#file, line: this.#row.line };
    this.#problems.add({ ...where, ...(column === undefined ? {} : { column }), message });
  }
}

/** A cell as it may be shown on a terminal. */
export function quote(text: string): string {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return JSON.stringify(shown);
}
