/**
 * The values of one row by the names of our fields, and how each is read. Everything throws
 * `RowProblem`. Numbers are read as exports write them; a text that could mean two amounts is
 * refused.
 */
import { fromHex } from "../../../base/bytes.js";
import { err, ok, type Result } from "../../../base/result.js";
import { deviceIdForm, isDeviceId, isId } from "../../../ledger/ids.js";
import { RowProblem } from "../../sending/row-problem.js";
import { needsZone, readTime, type TimeOptions } from "../../text/time-text.js";

/** Where a field's text comes from: a column of the file, or a constant of the command line. */
export type FieldSource = { readonly column: string; readonly text: string };

const shownCharsMax = 40;

export class Cells {
  /** Several for fields that are to be added up. */
  readonly #sources: ReadonlyMap<string, readonly FieldSource[]>;
  readonly #timeOptions: TimeOptions;
  readonly #timeFields: readonly string[];

  /** `timeFields`: whose texts may depend on the zone that is given for all. */
  constructor(
    sources: ReadonlyMap<string, readonly FieldSource[]>,
    timeOptions: TimeOptions,
    timeFields: readonly string[],
  ) {
    this.#sources = sources;
    this.#timeOptions = timeOptions;
    this.#timeFields = timeFields;
  }

  /** All fields that are not empty, in the order of their names: what makes the row this row. */
  get identity(): readonly (readonly [field: string, text: string])[] {
    return [...this.#sources]
      .map(([field, sources]) => [field, this.#identityOf(field, sources)] as const)
      .filter(([, text]) => text !== "")
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Whether the field has a value in this row. */
  has(field: string): boolean {
    return this.#sources.get(field)?.some(({ text }) => text !== "") === true;
  }

  /** Whether the field has a column, or a value for all rows. */
  isMapped(field: string): boolean {
    return this.#sources.has(field);
  }

  /** What the file calls the field. */
  columnOf(field: string): string {
    return this.#sources.get(field)?.[0]?.column ?? field;
  }

  id(field: string): string {
    return this.#read(field, "an id of a-z, 0-9 and -", (text) => (isId(text) ? text : undefined));
  }

  /** The id of a meter or of a charging station. */
  deviceId(field: string): string {
    return this.#parse(field, `an id of ${deviceIdForm}`, (text) => {
      // It would be an id by its characters, and a meter or station that nobody has.
      if (/^\d(?:\.\d+)?E\+\d{2,3}$/i.test(text)) {
        const what = "it is a number that a spreadsheet has rounded";
        return err(`${what}; format the column as text and export it again`);
      }
      return isDeviceId(text) ? ok(text) : err("");
    });
  }

  /** The id, or `otherwise` when there is no such column. An empty cell is no answer. */
  idOr(field: string, otherwise: string): string {
    return this.isMapped(field) ? this.id(field) : otherwise;
  }

  /** Unix s. */
  timeS(field: string): number {
    return this.#parse(field, "a time", (text) => {
      const read = readTime(text, this.#timeOptions);
      if (!read.ok) return read;
      const { ms, isExact } = read.value;
      return isExact && ms % 1000 === 0 ? ok(ms / 1000) : err("expected whole seconds");
    });
  }

  /** Unix ms; what is finer is cut off. */
  timeMs(field: string): number {
    return this.#parse(field, "a time", (text) => {
      const read = readTime(text, this.#timeOptions);
      return read.ok ? ok(read.value.ms) : read;
    });
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
    return this.#eitherOf(
      [`${name}_wh`, (text) => nonNegative(wholeNumber(text)), "a whole number of Wh, 0 or more"],
      [
        `${name}_kwh`,
        (text) => nonNegative(decimal(text, 3)),
        "kWh with at most three decimal places, 0 or more",
      ],
    );
  }

  /**
   * Millionths of the currency per kWh, from `price_micro_per_kwh` or, exactly, from
   * `price_per_kwh`.
   */
  priceMicroPerKwh(): bigint {
    return this.#eitherOf(
      ["price_micro_per_kwh", wholeNumber, "a whole number of millionths per kWh"],
      [
        "price_per_kwh",
        (text) => decimal(text, 6),
        "a price per kWh with at most six decimal places",
      ],
    );
  }

  /** The value of the field that has one; where both have, they have to say the same. */
  #eitherOf(fine: NumberField, coarse: NumberField): bigint {
    const [fineField] = fine;
    const [coarseField] = coarse;
    if (!this.has(fineField)) {
      const isCoarse = this.has(coarseField) || !this.isMapped(fineField);
      return this.#sum(isCoarse && this.isMapped(coarseField) ? coarse : fine);
    }
    const value = this.#sum(fine);
    if (this.has(coarseField) && this.#sum(coarse) !== value) {
      const other = this.columnOf(fineField);
      throw new RowProblem(`says something else than column ${other}`, this.columnOf(coarseField));
    }
    return value;
  }

  #sum([field, parse, expected]: NumberField): bigint {
    const sources = this.#sources.get(field) ?? [{ column: field, text: "" }];
    let sum = 0n;
    for (const source of sources) {
      sum += readSource(source, expected, (text) => {
        const value = parse(text);
        return value === undefined ? err(decimalHint(text)) : ok(value);
      });
    }
    return sum;
  }

  #read<T>(field: string, expected: string, parse: (text: string) => T | undefined): T {
    return this.#parse(field, expected, (text) => {
      const value = parse(text);
      return value === undefined ? err("") : ok(value);
    });
  }

  #parse<T>(field: string, expected: string, parse: (text: string) => Result<T, string>): T {
    const [source] = this.#sources.get(field) ?? [];
    return readSource(source ?? { column: field, text: "" }, expected, parse);
  }

  #identityOf(field: string, sources: readonly FieldSource[]): string {
    const texts = sources.map(({ text }) => text).toSorted();
    const text = texts.some((each) => each !== "") ? texts.join("+") : "";
    const { zone } = this.#timeOptions;
    if (zone === undefined || !this.#timeFields.includes(field) || !needsZone(text)) return text;
    return `${text}[${zone.name}]`;
  }
}

type NumberField = readonly [
  field: string,
  parse: (text: string) => bigint | undefined,
  expected: string,
];

/** `parse` says why it does not take a text, in half a sentence or with "" for no reason. */
function readSource<T>(
  { column, text }: FieldSource,
  expected: string,
  parse: (text: string) => Result<T, string>,
): T {
  if (text === "") throw new RowProblem(`is empty, expected ${expected}`, column);
  const value = parse(text);
  if (value.ok) return value.value;
  const shown = text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
  const why = value.error === "" ? "" : `; ${value.error}`;
  throw new RowProblem(`${JSON.stringify(shown)} is not ${expected}${why}`, column);
}

function nonNegative(value: bigint | undefined): bigint | undefined {
  return value === undefined || value < 0n ? undefined : value;
}

/**
 * A decimal number times 10^places, exactly; undefined when it has more places or is no plain
 * number.
 */
export function decimal(text: string, places: number): bigint | undefined {
  const match = /^([+-]?)(\d{1,18})(?:\.(\d{1,18}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = ""] = match;
  const digits = fraction.replace(/0+$/, "");
  if (digits.length > places) return undefined;
  const value = BigInt(whole + digits.padEnd(places, "0"));
  return sign === "-" ? -value : value;
}

/** A whole number, also written as 412.0; not as 1.000, which may mean a thousand. */
export function wholeNumber(text: string): bigint | undefined {
  return /\.\d{3}$/.test(text) ? undefined : decimal(text, 0);
}

/** What to do about a text that is no number, or "". */
function decimalHint(text: string): string {
  if (/^[+-]?\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3})*(?:[.,]\d+)?$/.test(text)) {
    return "write it without separators between thousands, and with a decimal point";
  }
  if (/^[+-]?\d+,\d+$/.test(text)) return "use a decimal point";
  if (/^[+-]?[\d.,]+\s*(?:[kMG]?Wh|[kMG]?W|€|\$|[A-Z]{3})\b/i.test(text))
    return "leave the unit out";
  return "";
}
