/** What a manager has against a record. */
export type Refusal = {
  /** Empty when the manager named none. */
  readonly reason: string;
  /** The record that stands in the way, lower-case hex; empty when none was named. */
  readonly standingHash: string;
};

/** A row of a file that cannot become a record. It is told and left out; the other rows go on. */
export class RowProblem extends Error {
  override readonly name = "RowProblem";
  /** Column at fault, as the file names it; absent when the whole row is. */
  readonly column: string | undefined;
  readonly refusal: Refusal | undefined;

  constructor(message: string, column?: string, refusal?: Refusal) {
    super(message);
    this.column = column;
    this.refusal = refusal;
  }

  /** "data.csv:17: column energy_wh: …". */
  at(file: string, line: number): string {
    const column = this.column === undefined ? "" : `column ${this.column}: `;
    return `${file}:${line}: ${column}${this.message}`;
  }
}
