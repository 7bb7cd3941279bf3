/**
 * From the header of a CSV file to what each column is for.
 *
 * What the command line says goes before what the names of columns suggest. Where the names leave
 * open which column is meant, the file is refused: a column that is taken by mistake, or dropped,
 * makes records that nobody can tell from right ones.
 */
import { nearestName } from "../../../config/nearest-name.js";
import type { RowKind } from "../../kinds/kind.js";
import { CliError, exitCodes } from "../../text/cli-error.js";

export type ColumnOptions = {
  readonly kind: RowKind;
  /** What columns hold, where that differs from what their names say. */
  readonly columns: readonly ColumnMapping[];
  /** Fields whose columns are added up. */
  readonly sums: readonly string[];
  /** Text by field, for every row. */
  readonly constants: ReadonlyMap<string, string>;
};

export type ColumnMapping = { readonly column: string; readonly field: string };

/** What a column of the file is for; without a field it is ignored. */
export type ColumnUse = { readonly column: string; readonly field: string | undefined };

type Header = { readonly file: string; readonly names: readonly string[] };

/** One for each column of the header, in its order. Throws `CliError`. */
export function columnUses(
  file: string,
  names: readonly string[],
  options: ColumnOptions,
): readonly ColumnUse[] {
  const header = { file, names };
  refuseOtherText(header);
  refuseOtherDelimiter(header);
  checkFields(options);
  checkMappings(header, options);
  const uses = names.map((column, index) => ({
    column: column === "" ? `${index + 1} (it has no name)` : column,
    field: fieldOf(header, index, options),
  }));
  refuseTwoForOne(header, uses, options);
  const found = new Set(uses.map(({ field }) => field));
  for (const group of options.kind.required) {
    if (group.some((field) => found.has(field) || options.constants.has(field))) continue;
    throw nothingFor(group, header, options.kind);
  }
  return uses;
}

/** Whether a row has the names of columns where values should be. */
export function looksLikeHeader(cells: readonly string[], kind: RowKind): boolean {
  const known = new Set(Object.values(kind.columns).flat());
  return cells.filter((cell) => known.has(normalised(cell))).length >= namesOfHeaderMin;
}

/** One name may be a value by chance. */
const namesOfHeaderMin = 2;

function fieldOf(
  { names }: Header,
  index: number,
  { kind, columns, constants }: ColumnOptions,
): string | undefined {
  const column = names[index] ?? "";
  const mapped = columns.find((each) => each.column === column);
  if (mapped !== undefined) return mapped.field;
  const name = normalised(column);
  const found = Object.entries(kind.columns).find(([, candidates]) => candidates.includes(name));
  if (found === undefined) return undefined;
  const [field] = found;
  // What was said about a field, or about another way to give the same thing, is all that counts.
  const isSaid = [field, ...alternativesOf(field, kind)].some(
    (each) => constants.has(each) || columns.some((mapping) => mapping.field === each),
  );
  return isSaid ? undefined : field;
}

function alternativesOf(field: string, { alternatives }: RowKind): readonly string[] {
  return alternatives.filter((group) => group.includes(field)).flat();
}

/** Everything that the command line names is a field of the kind, and named once. */
function checkFields({ kind, columns, sums, constants }: ColumnOptions): void {
  const known = Object.keys(kind.columns);
  for (const field of [...columns.map((each) => each.field), ...sums, ...constants.keys()]) {
    if (!known.includes(field)) throw noField(field, known);
  }
  const twice = columns.find(({ field }) => constants.has(field));
  if (twice !== undefined) {
    const what = `--column and --set both give ${twice.field}`;
    throw new CliError(what, "leave one of them out", { exitCode: exitCodes.usage });
  }
  for (const field of sums) {
    if (!kind.summable.includes(field)) {
      const next = `leave out --sum, which takes ${kind.summable.join(", ")}`;
      throw new CliError(`${field} cannot be added up`, next, { exitCode: exitCodes.usage });
    }
    if (columns.filter((each) => each.field === field).length < 2) {
      const what = `--sum ${field} needs two columns at least`;
      const next = `name each of them with --column NAME=${field}`;
      throw new CliError(what, next, { exitCode: exitCodes.usage });
    }
  }
}

function checkMappings({ file, names }: Header, { columns, sums }: ColumnOptions): void {
  for (const { column, field } of columns) {
    const count = names.filter((name) => name === column).length;
    if (count === 0) throw noColumn(file, column, names);
    if (count > 1) throw twoColumns(file, column);
    const others = columns.filter((each) => each.field === field);
    if (others.length === 1 || sums.includes(field)) continue;
    const shown = others.map((each) => JSON.stringify(each.column)).join(" and ");
    throw new CliError(
      `--column gives ${field} to ${others.length} columns, ${shown}`,
      `leave out all but one, or add --sum ${field} to have them added up`,
      { exitCode: exitCodes.usage },
    );
  }
}

/** A field that several columns offer by their names. */
function refuseTwoForOne(
  { file }: Header,
  uses: readonly ColumnUse[],
  { sums }: ColumnOptions,
): void {
  for (const { field } of uses) {
    if (field === undefined || sums.includes(field)) continue;
    const columns = uses.filter((use) => use.field === field).map(({ column }) => column);
    if (columns.length === 1) continue;
    const [first = ""] = columns;
    if (columns.every((column) => column === first)) throw twoColumns(file, first);
    const shown = columns.map((column) => JSON.stringify(column)).join(" and ");
    const next = `choose one with --column NAME=${field}`;
    throw new CliError(`${file}:1: the columns ${shown} may both hold ${field}`, next);
  }
}

function nothingFor(group: readonly string[], { file, names }: Header, kind: RowKind): CliError {
  const open = names.find((name) => kind.ambiguous.names.includes(normalised(name)));
  const { fields } = kind.ambiguous;
  if (open !== undefined && group.some((field) => fields.includes(field))) {
    const choices = fields.map((field) => `--column ${JSON.stringify(`${open}=${field}`)}`);
    return new CliError(
      `${file}:1: column ${JSON.stringify(open)} does not say which time it holds`,
      `choose with ${choices.join(" or ")}`,
    );
  }
  const columns = names.filter((name) => name !== "").join(", ");
  return new CliError(
    `${file}:1: the header has no column for ${group.join(" or ")} (its columns: ${columns})`,
    `name the column with --column NAME=${group[0]}, give one value for all rows with --set, ` +
      "or remove the lines before the header",
  );
}

/** UTF-16 without a byte order mark, a compressed file, a spreadsheet. */
function refuseOtherText({ file, names }: Header): void {
  if (!names.some((name) => name.includes("\0"))) return;
  throw new CliError(`${file} is not a text in UTF-8`, "save it as CSV in UTF-8");
}

/** A header that is one cell with what stands between columns elsewhere. */
function refuseOtherDelimiter({ file, names: [only = "", ...others] }: Header): void {
  if (others.length > 0) return;
  const shown = only.includes(";") ? "';'" : only.includes("\t") ? "$'\\t'" : undefined;
  if (shown === undefined) return;
  throw new CliError(`${file} looks separated by ${shown}`, `give --delimiter ${shown}`);
}

function twoColumns(file: string, column: string): CliError {
  return new CliError(
    `${file}:1: two columns are called ${JSON.stringify(column)}`,
    "rename one of them",
  );
}

function noColumn(file: string, column: string, names: readonly string[]): CliError {
  const nearest = nearestName(column, names);
  const next =
    nearest === undefined ? `use one of ${names.join(", ")}` : `did you mean ${nearest}?`;
  return new CliError(`${file} has no column ${JSON.stringify(column)}`, next);
}

function noField(field: string, known: readonly string[]): CliError {
  const nearest = nearestName(field, known);
  const next =
    nearest === undefined ? `use one of ${known.join(", ")}` : `did you mean ${nearest}?`;
  return new CliError(`records of this kind have no field ${JSON.stringify(field)}`, next);
}

/** "Meter ID" and "meter_id" are one name. */
function normalised(column: string): string {
  return column
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
}
