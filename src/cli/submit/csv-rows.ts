/**
 * Reading CSV files as they come: row by row, however large the file. A row that cannot be read is
 * a problem of that row; only a header that does not fit ends the reading.
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { type Info, parse } from "csv-parse";
import { nearestName } from "../../config/nearest-name.js";
import { CliError } from "../cli-error.js";
import { Cells, type FieldSource } from "./cells.js";
import type { RowKind } from "./row-kinds.js";
import { RowProblem } from "./row-problem.js";

export type CsvRow = {
  /** Line of the file on which the row ends, from 1. */
  readonly line: number;
  readonly cells: Cells | RowProblem;
};

export type CsvOptions = {
  readonly kind: RowKind;
  /** Field by column, where they differ from the kind's own names. */
  readonly columns: ReadonlyMap<string, string>;
  /** Text by field, for every row. */
  readonly constants: ReadonlyMap<string, string>;
  readonly delimiter: string;
  /** Told once which columns of the file mean nothing here. */
  readonly onIgnored?: (columns: readonly string[]) => void;
};

type Parsed = { readonly record: readonly string[]; readonly info: Info };

const rowBytesMax = 1024 * 1024;

/** The rows of a CSV file with a header. Throws `CliError` for a header that does not fit. */
export async function* csvRows(file: string, options: CsvOptions): AsyncGenerator<CsvRow> {
  const broken: CsvRow[] = [];
  const parser = parse({
    ...{ bom: true, info: true, ltrim: true, delimiter: options.delimiter },
    ...{ relax_column_count: true, skip_empty_lines: true, max_record_size: rowBytesMax },
    // A quote in the wrong place then stays in its value, which is a problem of that row alone.
    ...{ relax_quotes: true, skip_records_with_error: true },
  });
  parser.on("skip", (error?: { readonly message: string; readonly lines?: number }) => {
    const why = (error?.message ?? "cannot be read").replaceAll(/\s+/g, " ");
    broken.push({ line: error?.lines ?? 0, cells: new RowProblem(why) });
  });
  const source = createReadStream(file);
  // The iterator below sees every error: pipeline destroys the parser with it.
  pipeline(source, parser, () => {});
  let fieldByColumn: readonly ColumnUse[] | undefined;
  for await (const { record, info } of parser as AsyncIterable<Parsed>) {
    yield* broken.splice(0);
    if (fieldByColumn === undefined) {
      const header = record.map((column) => column.trim());
      fieldByColumn = usesOf(file, header, options);
    } else {
      yield { line: info.lines, cells: cellsOf(record, fieldByColumn, options.constants) };
    }
  }
  yield* broken.splice(0);
  if (fieldByColumn !== undefined) return;
  throw new CliError(`${file} is empty`, "give a CSV file with a header in its first line");
}

/** What each column of the file is for; without a field it is ignored. */
type ColumnUse = { readonly column: string; readonly field: string | undefined };

function usesOf(file: string, header: readonly string[], options: CsvOptions): ColumnUse[] {
  const { kind, columns, constants, onIgnored } = options;
  const known = Object.keys(kind.columns);
  refuseRepeats(file, header);
  refuseOtherDelimiter(file, header);
  for (const [column, field] of columns) {
    if (!header.includes(column)) throw noColumn(file, column, header);
    if (!known.includes(field)) throw noField(field, known);
  }
  for (const field of constants.keys()) if (!known.includes(field)) throw noField(field, known);
  const names = header.map(normalised);
  const found = new Map<string, string>();
  for (const [column, field] of columns) found.set(field, column);
  for (const [field, candidates] of Object.entries(kind.columns)) {
    if (found.has(field) || constants.has(field)) continue;
    const at = names.findIndex(
      (name, i) => candidates.includes(name) && !columns.has(header[i] ?? ""),
    );
    if (at >= 0) found.set(field, header[at] ?? "");
  }
  for (const group of kind.required) {
    if (group.some((field) => found.has(field) || constants.has(field))) continue;
    throw new CliError(
      `${file} has no column for ${group.join(" or ")} (its columns: ${header.join(", ")})`,
      `name the column with --column NAME=${group[0]}, or give one value for all rows with --set`,
    );
  }
  const uses = header.map((column) => ({
    column,
    field: [...found].find(([, name]) => name === column)?.[0],
  }));
  const ignored = uses.filter(({ field }) => field === undefined).map(({ column }) => column);
  if (ignored.length > 0) onIgnored?.(ignored);
  return uses;
}

function cellsOf(
  record: readonly string[],
  uses: readonly ColumnUse[],
  constants: ReadonlyMap<string, string>,
): Cells | RowProblem {
  if (record.length !== uses.length) {
    return new RowProblem(`has ${record.length} values, the header has ${uses.length} columns`);
  }
  const sources = new Map<string, FieldSource>();
  for (const [field, text] of constants) sources.set(field, { column: `--set ${field}`, text });
  for (const [index, { column, field }] of uses.entries()) {
    if (field !== undefined) sources.set(field, { column, text: (record[index] ?? "").trim() });
  }
  return new Cells(sources);
}

function refuseRepeats(file: string, header: readonly string[]): void {
  const repeated = header.find((column, index) => header.indexOf(column) !== index);
  if (repeated === undefined) return;
  throw new CliError(`${file} has two columns ${JSON.stringify(repeated)}`, "rename one of them");
}

/** A header that is one cell with what stands between columns elsewhere. */
function refuseOtherDelimiter(file: string, [only = "", ...others]: readonly string[]): void {
  if (others.length > 0) return;
  const shown = only.includes(";") ? "';'" : only.includes("\t") ? "$'\\t'" : undefined;
  if (shown === undefined) return;
  throw new CliError(`${file} looks separated by ${shown}`, `give --delimiter ${shown}`);
}

function noColumn(file: string, column: string, header: readonly string[]): CliError {
  const nearest = nearestName(column, header);
  const next =
    nearest === undefined ? `use one of ${header.join(", ")}` : `did you mean ${nearest}?`;
  return new CliError(`${file} has no column ${JSON.stringify(column)}`, next);
}

function noField(field: string, known: readonly string[]): CliError {
  const nearest = nearestName(field, known);
  const next =
    nearest === undefined ? `use one of ${known.join(", ")}` : `did you mean ${nearest}?`;
  return new CliError(`there is no field ${JSON.stringify(field)} for this kind`, next);
}

/** "Meter ID" and "meter_id" are one name. */
function normalised(column: string): string {
  return column
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
}
