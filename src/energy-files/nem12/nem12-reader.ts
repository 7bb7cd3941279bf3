/**
 * NEM12, the interval part of the Meter Data File Format of the Australian market. A row begins
 * with the number of its kind:
 *
 *     100  the file begins: its format, who made it for whom
 *     200  a register begins: connection point, suffix, unit, interval (register.ts)
 *     300    a day of it: date, all values, quality (interval-day.ts)
 *     400      the quality of a range of that day's intervals
 *     500      who read the meter, and why: not recorded
 *     900  the file ends
 *
 * A row that cannot be used is a problem, and what depends on it is left out with it.
 */
import { CoveredTime } from "../covered-time.js";
import {
  type FileItem,
  type FileProblem,
  type FileReader,
  FileUnreadable,
} from "../file-values.js";
import { dayS, IntervalDay, RowProblem } from "./interval-day.js";
import { type Nem12Row, nem12Rows } from "./nem12-rows.js";
import { parseRegister, type Register, shown } from "./register.js";

/** `options` are not needed: the format's times are all of one offset. */
export const readNem12: FileReader = async function* (chunks) {
  const records = new Nem12Records();
  for await (const row of nem12Rows(chunks)) yield* records.take(row);
  yield* records.end();
};

const askForNem12 = "give a file whose first row begins with 100,NEM12";

class Nem12Records {
  readonly #days = new CoveredTime();
  #place: "before" | "within" | "after" = "before";
  /** Of the last 200 row; "left out" if that row is not used. */
  #register: Register | "left out" | undefined;
  /** Of the last 300 row, to which 400 rows belong; "left out" if that row is not used. */
  #day: IntervalDay | "left out" | undefined;
  #lastLine = 0;

  *take(row: Nem12Row): Generator<FileItem> {
    this.#lastLine = row.line;
    const [kind = ""] = row.fields;
    if (this.#place !== "within" && kind !== "100") {
      if (this.#place === "after" && kind !== "200") {
        yield problem(row, "stands after the 900 row that ends the file");
        return;
      }
      yield this.#withoutHeader(row);
    }
    switch (kind) {
      case "100":
        yield* this.#begin(row);
        break;
      case "200":
        yield* this.#nextRegister(row);
        break;
      case "300":
        yield* this.#nextDay(row);
        break;
      case "400":
        yield* this.#qualify(row);
        break;
      case "500":
        break;
      case "900":
        yield* this.#closeRegister();
        this.#place = "after";
        break;
      default:
        yield problem(row, `${shown(kind)} is no kind of row: 100, 200, 300, 400, 500 or 900`);
    }
  }

  *end(): Generator<FileItem> {
    if (this.#place === "before") throw new FileUnreadable("the file is empty", askForNem12);
    yield* this.#closeRegister();
    if (this.#place === "after") return;
    const message = "the file ends without a 900 row, so its end may be missing";
    yield { kind: "problem", place: { line: this.#lastLine }, message };
  }

  *#begin(row: Nem12Row): Generator<FileItem> {
    const [, format = ""] = row.fields;
    if (format !== "NEM12") {
      const hint = format === "NEM13" ? ", which has readings of registers months apart" : "";
      const message = `line ${row.line}: the format is ${shown(format)}${hint}`;
      throw new FileUnreadable(message, askForNem12);
    }
    // Some distributors join files, each with its own first and last row.
    if (this.#place === "within") {
      yield problem(row, "another file begins, and no 900 row ended the one before");
    }
    yield* this.#closeRegister();
    this.#place = "within";
  }

  /** Distributors' portals leave first rows out, so a 200 row may begin a file as well. */
  #withoutHeader(row: Nem12Row): FileProblem {
    if (row.fields[0] !== "200") {
      const message = `line ${row.line} begins with ${shown(row.fields[0] ?? "")}, not with 100`;
      throw new FileUnreadable(message, askForNem12);
    }
    this.#place = "within";
    return problem(row, "a file begins without a 100 row, and is read as NEM12");
  }

  *#nextRegister(row: Nem12Row): Generator<FileItem> {
    yield* this.#closeRegister();
    const parsed = parseRegister(row);
    if ("meterName" in parsed) {
      this.#register = parsed;
      return;
    }
    this.#register = "left out";
    const message = `${parsed.message}; the rows below it are left out`;
    yield { kind: "problem", place: { line: row.line, column: parsed.column }, message };
  }

  *#nextDay(row: Nem12Row): Generator<FileItem> {
    yield* this.#closeDay();
    const register = this.#register;
    this.#day = "left out";
    if (register === undefined) yield problem(row, "a 300 row needs a 200 row above it");
    if (register === undefined || register === "left out") return;
    try {
      const day = new IntervalDay(register, row);
      const name = `${register.meterName} ${register.direction}`;
      if (!this.#days.cover(name, day.startS, day.startS + dayS)) {
        const message = `the file has values of register ${register.suffix} on this day already`;
        throw new RowProblem(message, "IntervalDate");
      }
      this.#day = day;
    } catch (error) {
      yield rowProblem(row, error, register.meterName);
    }
  }

  *#qualify(row: Nem12Row): Generator<FileItem> {
    if (this.#day === "left out" || this.#register === "left out") return;
    if (this.#day === undefined) {
      yield problem(row, "a 400 row needs a 300 row above it");
      return;
    }
    try {
      this.#day.qualify(row);
    } catch (error) {
      yield rowProblem(row, error);
    }
  }

  *#closeRegister(): Generator<FileItem> {
    yield* this.#closeDay();
    this.#register = undefined;
  }

  *#closeDay(): Generator<FileItem> {
    const day = this.#day;
    this.#day = undefined;
    if (day instanceof IntervalDay) yield* day.items();
  }
}

function problem({ line }: Nem12Row, message: string): FileProblem {
  return { kind: "problem", place: { line }, message };
}

function rowProblem({ line }: Nem12Row, error: unknown, meterName?: string): FileProblem {
  if (!(error instanceof RowProblem)) throw error;
  const { message, column } = error;
  const place = column === undefined ? { line } : { line, column };
  return { kind: "problem", place, message, ...(meterName !== undefined && { meterName }) };
}
