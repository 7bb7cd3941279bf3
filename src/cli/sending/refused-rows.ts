/**
 * Reports the rows that became no records: the first ones as lines for people, and all of them in a
 * CSV file beside the receipts.
 */
import { closeSync, existsSync, ftruncateSync, openSync, readSync, rmSync } from "node:fs";
import { type WriteCall, writeWhole } from "../../config/whole-write.js";
import { CliError } from "../text/cli-error.js";
import type { RowProblem } from "./row-problem.js";
import { unwritable } from "./unwritable.js";

const header = "line,column,problem,reason,standing_record_hash\n";
/** What all versions' headers begin with. */
const headerBeginning = "line,column,problem";
const shownMax = 50;

export class RefusedRows {
  readonly #label: string;
  readonly #path: string;
  readonly #print: (text: string) => void;
  readonly #write: WriteCall | undefined;
  #descriptor: number | undefined;
  /** Of the whole lines that were written. */
  #bytes = 0;
  #count = 0;

  /**
   * Throws `CliError` when something else stands where the list of an earlier run would. `write` is
   * for tests.
   */
  constructor(label: string, out: string, print: (text: string) => void, write?: WriteCall) {
    this.#label = label;
    this.#path = `${out}.refused.csv`;
    this.#print = print;
    this.#write = write;
    refuseForeign(this.#path);
  }

  /** Where all of them stand; undefined when there are none. */
  get file(): string | undefined {
    return this.#count === 0 ? undefined : this.#path;
  }

  /** `line` is 0 for a document. Throws `CliError` when the list cannot be written. */
  add(line: number, problem: RowProblem): void {
    this.#descriptor ??= this.#begin();
    const { column = "", message, refusal } = problem;
    const why = [refusal?.reason ?? "", refusal?.standingHash ?? ""];
    this.#append(this.#descriptor, csvLine([String(line), column, message, ...why]));
    this.#count += 1;
    if (this.#count > shownMax) return;
    this.#print(line === 0 ? `${this.#label}: ${problem.message}` : problem.at(this.#label, line));
    if (this.#count === shownMax) this.#print(`… the other rows are listed in ${this.#path}`);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }

  /** Call this after all rows: it removes the list of an earlier run if this run has none. */
  complete(): void {
    if (this.#count === 0) rmSync(this.#path, { force: true });
  }

  #begin(): number {
    const descriptor = openSync(this.#path, "w", 0o600);
    this.#append(descriptor, header);
    return descriptor;
  }

  /** On a full disk a part of a line may be written, which would read as another row. */
  #append(descriptor: number, line: string): void {
    const bytes = Buffer.from(line);
    try {
      writeWhole(descriptor, bytes, this.#write);
    } catch (error) {
      ftruncateSync(descriptor, this.#bytes);
      throw unwritable(this.#path, error);
    }
    this.#bytes += bytes.length;
  }
}

function refuseForeign(path: string): void {
  if (!existsSync(path)) return;
  const descriptor = openSync(path, "r");
  try {
    const beginning = Buffer.alloc(headerBeginning.length);
    const length = readSync(descriptor, beginning, 0, beginning.length, 0);
    // One that was cut off on a full disk is one of ours.
    if (headerBeginning.startsWith(beginning.toString("utf8", 0, length))) return;
  } finally {
    closeSync(descriptor);
  }
  throw new CliError(
    `${path} was not written by 'bss submit' or 'bss import'`,
    "move it away, or give another file with --out",
  );
}

function csvLine(values: readonly string[]): string {
  const quoted = values.map((value) =>
    /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value,
  );
  return `${quoted.join(",")}\n`;
}
