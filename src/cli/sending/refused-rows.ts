/**
 * Reports the rows that became no records: the first ones as lines for people, and all of them in a
 * CSV file beside the receipts.
 */
import { closeSync, existsSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { CliError } from "../text/cli-error.js";
import type { RowProblem } from "./row-problem.js";

const header = "line,column,problem,reason,standing_record_hash\n";
/** What all versions' headers begin with. */
const headerBeginning = "line,column,problem";
const shownMax = 50;

export class RefusedRows {
  readonly #label: string;
  readonly #path: string;
  readonly #print: (text: string) => void;
  #descriptor: number | undefined;
  #count = 0;

  /** Throws `CliError` when something else stands where the list of an earlier run would. */
  constructor(label: string, out: string, print: (text: string) => void) {
    this.#label = label;
    this.#path = `${out}.refused.csv`;
    this.#print = print;
    refuseForeign(this.#path);
  }

  /** Where all of them stand; undefined when there are none. */
  get file(): string | undefined {
    return this.#count === 0 ? undefined : this.#path;
  }

  /** `line` is 0 for a document. */
  add(line: number, problem: RowProblem): void {
    this.#descriptor ??= this.#begin();
    this.#count += 1;
    const { column = "", message, refusal } = problem;
    const why = [refusal?.reason ?? "", refusal?.standingHash ?? ""];
    writeSync(this.#descriptor, csvLine([String(line), column, message, ...why]));
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
    writeSync(descriptor, header);
    return descriptor;
  }
}

function refuseForeign(path: string): void {
  if (!existsSync(path)) return;
  const descriptor = openSync(path, "r");
  try {
    const beginning = Buffer.alloc(headerBeginning.length);
    const length = readSync(descriptor, beginning, 0, beginning.length, 0);
    if (length === 0 || beginning.toString("utf8") === headerBeginning) return;
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
