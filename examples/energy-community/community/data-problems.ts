/** What is wrong with the data, found while the rest of it goes on. */

export type DataProblem = {
  /** Path as it was given. */
  readonly file: string;
  /** Line in the file, from 1: the header is line 1. */
  readonly line: number;
  /** Absent when the row as a whole is wrong. */
  readonly column?: string;
  /** For people, without a full stop. */
  readonly message: string;
};

/** Problems are counted without end and kept up to here: a wrong file can have one in each row. */
const keptMax = 20;

/** Collects problems; whoever reads the data looks here at the end. */
export class DataProblems {
  readonly #kept: DataProblem[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(problem: DataProblem): void {
    this.#count += 1;
    if (this.#kept.length < keptMax) this.#kept.push(problem);
  }

  /** One line per problem, and how many more there are. */
  lines(): readonly string[] {
    const more = this.#count - this.#kept.length;
    return [...this.#kept.map(textOf), ...(more > 0 ? [`${more} more rows`] : [])];
  }
}

function textOf({ file, line, column, message }: DataProblem): string {
  return `${file}, line ${line}${column === undefined ? "" : `, ${column}`}: ${message}`;
}
