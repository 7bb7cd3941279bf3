/**
 * One row's values by the names of our fields, and how each is read. Everything throws
 * `RowProblem`.
 */
import { fromHex } from "../../base/bytes.js";
import { deviceIdForm, isDeviceId, isId } from "../../ledger/ids.js";
import { timeMsOf } from "../client-session.js";
import { RowProblem } from "./row-problem.js";

/** Where a field's text comes from: a column of the file, or a constant of the command line. */
export type FieldSource = { readonly column: string; readonly text: string };

const shownCharsMax = 40;

export class Cells {
  readonly #sources: ReadonlyMap<string, FieldSource>;

  constructor(sources: ReadonlyMap<string, FieldSource>) {
    this.#sources = sources;
  }

  /** All fields that are not empty, in the order of their names: what makes the row this row. */
  get identity(): readonly (readonly [field: string, text: string])[] {
    return [...this.#sources]
      .filter(([, { text }]) => text !== "")
      .map(([field, { text }]) => [field, text] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  has(field: string): boolean {
    return (this.#sources.get(field)?.text ?? "") !== "";
  }

  id(field: string): string {
    return this.#read(field, "an id of a-z, 0-9 and -", (text) => (isId(text) ? text : undefined));
  }

  /** Of a meter or a charging station. */
  deviceId(field: string): string {
    return this.#read(field, `an id of ${deviceIdForm}`, (text, column) => {
      // It would be an id by its characters, and a meter or station that nobody has.
      if (/^\d(?:\.\d+)?E\+\d{2,3}$/i.test(text)) {
        const what = `${JSON.stringify(text)} is a number that a spreadsheet has rounded`;
        throw new RowProblem(`${what}; format the column as text and export it again`, column);
      }
      return isDeviceId(text) ? text : undefined;
    });
  }

  /** Unix s. */
  timeS(field: string): number {
    return this.#read(field, "a time: Unix seconds, or ISO 8601 with a time zone", (text) => {
      const ms = timeMsOf(text);
      return ms === undefined || ms % 1000 !== 0 ? undefined : ms / 1000;
    });
  }

  /** Unix ms. */
  timeMs(field: string): number {
    return this.#read(field, "a time: Unix seconds, or ISO 8601 with a time zone", timeMsOf);
  }

  seconds(field: string): number {
    return this.#read(field, "a whole number of seconds, 1 or more", (text) =>
      /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined,
    );
  }

  bytes(field: string, length?: number): Uint8Array {
    const what = length === undefined ? "hex digits" : `${2 * length} hex digits`;
    return this.#read(field, what, (text) => {
      const bytes = fromHex(text);
      return length === undefined || bytes?.length === length ? bytes : undefined;
    });
  }

  /** Wh, from the field `<name>_wh` or, exactly, from `<name>_kwh`. */
  energyWh(name: string): bigint {
    if (this.#isIn(`${name}_kwh`, `${name}_wh`)) {
      const expected = "kWh with at most three decimal places, 0 or more";
      return this.#read(`${name}_kwh`, expected, (text) => nonNegative(scaled(text, 3)));
    }
    return this.#read(`${name}_wh`, "a whole number of Wh, 0 or more", (text) =>
      nonNegative(scaled(text, 0)),
    );
  }

  /**
   * Millionths of the currency per kWh, from `price_micro_per_kwh` or, exactly, from
   * `price_per_kwh`.
   */
  priceMicroPerKwh(): bigint {
    if (this.#isIn("price_per_kwh", "price_micro_per_kwh")) {
      const expected = "a price per kWh with at most six decimal places";
      return this.#read("price_per_kwh", expected, (text) => scaled(text, 6));
    }
    const expected = "a whole number of millionths per kWh";
    return this.#read("price_micro_per_kwh", expected, (text) => scaled(text, 0));
  }

  /** Whether `field` is to be read rather than `other`: by the values, or else by the columns. */
  #isIn(field: string, other: string): boolean {
    if (this.has(other)) return false;
    return this.has(field) || (this.#sources.has(field) && !this.#sources.has(other));
  }

  #read<T>(
    field: string,
    expected: string,
    parse: (text: string, column: string) => T | undefined,
  ): T {
    const source = this.#sources.get(field);
    if (source === undefined || source.text === "") {
      throw new RowProblem(`is empty, expected ${expected}`, source?.column ?? field);
    }
    const value = parse(source.text, source.column);
    if (value !== undefined) return value;
    const { text } = source;
    const shown = text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
    const hasComma = expected.includes("decimal places") && /^[+-]?\d+,\d+$/.test(text);
    const next = hasComma ? "; use a decimal point" : "";
    throw new RowProblem(`${JSON.stringify(shown)} is not ${expected}${next}`, source.column);
  }
}

/**
 * A decimal number times 10^places, exactly; undefined when it has more places or is no plain
 * number.
 */
export function scaled(text: string, places: number): bigint | undefined {
  const match = /^([+-]?)(\d{1,18})(?:\.(\d{1,18}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  const digits = fraction.replace(/0+$/, "");
  if (digits.length > places) return undefined;
  const value = BigInt(whole + digits.padEnd(places, "0"));
  return sign === "-" ? -value : value;
}

function nonNegative(value: bigint | undefined): bigint | undefined {
  return value === undefined || value < 0n ? undefined : value;
}
