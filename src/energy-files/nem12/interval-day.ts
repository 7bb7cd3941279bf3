/**
 * The values of one register on one day: a 300 row, and the 400 rows below it that say of ranges of
 * its intervals what their quality is. Intervals count from 1. The day is one of NEM time, which is
 * UTC+10 all year, whatever the clocks of the place do.
 */
import { decimalEnergy } from "../exact-number.js";
import type { FileItem, FileProblem } from "../file-values.js";
import type { Nem12Row } from "./nem12-rows.js";
import { type Nem12Quality, parseQuality } from "./quality.js";
import { type Register, shown } from "./register.js";

const nemOffsetS = 10 * 3600;
const dayMinutes = 24 * 60;
export const dayS = dayMinutes * 60;

/** Of a 300 row that follow its values: quality, reason, its text, two times. */
const lastFields = 5;

/** Thrown for a row that cannot be used. */
export class RowProblem extends Error {
  readonly column: string | undefined;

  constructor(message: string, column?: string) {
    super(message);
    this.column = column;
  }
}

export class IntervalDay {
  /** Unix s. */
  readonly startS: number;
  readonly #register: Register;
  readonly #line: number;
  readonly #values: readonly string[];
  readonly #quality: Nem12Quality;
  /** By interval from 0: what a 400 row said of it. */
  readonly #qualities: (Nem12Quality | undefined)[] = [];

  /** Of a 300 row. Throws `RowProblem`. */
  constructor(register: Register, { line, fields }: Nem12Row) {
    const count = dayMinutes / register.intervalMinutes;
    const [, date = ""] = fields;
    this.startS = startOfDay(date);
    const quality = parseQuality(fields[count + 2] ?? "");
    if (quality === undefined || fields.length > count + 2 + lastFields) {
      throw wrongFields(fields, count, register.intervalMinutes);
    }
    this.#register = register;
    this.#line = line;
    this.#values = fields.slice(2, count + 2);
    this.#quality = quality;
  }

  /**
   * Takes a 400 row. Throws `RowProblem`; if it is the quality that cannot be read, that of the
   * range is not known from then on.
   */
  qualify({ fields }: Nem12Row): void {
    const [, first = "", last = "", text = ""] = fields;
    const count = this.#values.length;
    const from = intervalNumber(first, count, "StartInterval");
    const to = intervalNumber(last, count, "EndInterval");
    if (to < from) throw new RowProblem(`interval ${to} is before ${from}`, "EndInterval");
    const quality = parseQuality(text) ?? "variable";
    const taken = this.#qualities.findIndex(
      (known, i) => known !== undefined && i >= from - 1 && i < to,
    );
    if (taken >= 0) {
      const message = `another 400 row has said the quality of interval ${taken + 1}`;
      throw new RowProblem(message, "StartInterval");
    }
    for (let i = from - 1; i < to; i++) this.#qualities[i] = quality;
    if (quality !== "variable") return;
    const message = `${shown(text)} is no quality of a range: A, E, F, N or S, and a method`;
    throw new RowProblem(message, "QualityMethod");
  }

  *items(): Generator<FileItem> {
    for (let i = 0; i < this.#values.length; i++) {
      const quality = this.#qualityOf(i);
      if (quality === "variable") {
        const last = this.#lastUnknown(i);
        const which = last === i ? `interval ${i + 1}` : `intervals ${i + 1} to ${last + 1}`;
        yield this.#problem(i, `no 400 row says what the quality of ${which} is`);
        i = last;
      } else if (quality !== "absent") yield this.#item(i, quality);
    }
  }

  /** The last of the intervals from `first` on whose quality is not known. */
  #lastUnknown(first: number): number {
    let last = first;
    const isKnown = (i: number) => this.#qualityOf(i) !== "variable";
    while (last + 1 < this.#values.length && !isKnown(last + 1)) last += 1;
    return last;
  }

  #qualityOf(i: number): Nem12Quality {
    return this.#qualities[i] ?? this.#quality;
  }

  #item(i: number, quality: Exclude<Nem12Quality, "absent" | "variable">): FileItem {
    const { meterName, direction, tenPower, intervalMinutes } = this.#register;
    const text = this.#values[i] ?? "";
    const energy = decimalEnergy(text, tenPower);
    if (energy === undefined) return this.#problem(i, `${shown(text)} is no number`);
    if (energy.amount < 0n) return this.#problem(i, `${shown(text)} is negative`);
    const intervalS = intervalMinutes * 60;
    const startS = this.startS + i * intervalS;
    const place = this.#place(i);
    return { kind: "value", place, meterName, direction, startS, intervalS, energy, quality };
  }

  #problem(i: number, message: string): FileProblem {
    const { meterName } = this.#register;
    return { kind: "problem", place: this.#place(i), meterName, message };
  }

  #place(i: number): FileProblem["place"] {
    return { line: this.#line, column: `${this.#register.suffix} interval ${i + 1}` };
  }
}

/** Unix s at which a day of NEM time begins. Throws `RowProblem`. */
function startOfDay(text: string): number {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(text) ?? [];
  const iso = `${year}-${month}-${day}`;
  const ms = Date.parse(iso);
  // The 30th of February may be parsed as a day of March.
  const isDate = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(iso);
  if (!isDate || Number(year) < 1970) {
    throw new RowProblem(`${shown(text)} is no date, which is written YYYYMMDD`, "IntervalDate");
  }
  return ms / 1000 - nemOffsetS;
}

function intervalNumber(text: string, count: number, column: string): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= count) return number;
  throw new RowProblem(`${shown(text)} is no interval of the day: 1 to ${count}`, column);
}

/** What is wrong with a 300 row that has no quality where it belongs, or goes on behind its end. */
function wrongFields(fields: readonly string[], count: number, minutes: number): RowProblem {
  const needed = `a day of ${minutes} minutes' intervals has ${count}`;
  const values = fields.findIndex((field, i) => i >= 2 && parseQuality(field) !== undefined) - 2;
  if (values >= 0 && values !== count) return new RowProblem(`has ${values} values, ${needed}`);
  if (values === count) {
    const most = count + 2 + lastFields;
    return new RowProblem(`has ${fields.length} fields, a row of such a day has at most ${most}`);
  }
  const behind = fields[count + 2];
  if (behind === undefined) {
    return new RowProblem(`ends after ${fields.length - 2} values without a quality; ${needed}`);
  }
  const message = `${shown(behind)} is no quality: A, E, F, N, S or V, and a method`;
  return new RowProblem(message, "QualityMethod");
}
