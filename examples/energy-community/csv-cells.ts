/** Cells of one row as numbers; each cell that is none is reported with its column. */
import type { CsvRow } from "./csv-rows.js";
import type { DataProblems } from "./data-problems.js";
import { type Decimal, isAbove, isNegative, parseDecimal } from "./decimal.js";

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
