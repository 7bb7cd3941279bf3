/** Files of JSON lines that grow: the journal and the receipts of what was sent. */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
} from "node:fs";
import { writeWhole } from "../../../config/whole-write.js";
import { CliError } from "../../text/cli-error.js";
import { unwritable } from "../unwritable.js";

const chunkBytes = 256 * 1024;
const newline = 10;
const linesAtOnce = 1_000;

export class LineFile {
  readonly path: string;
  readonly #beginnings: readonly string[];
  #descriptor: number;
  #end: number;

  /**
   * Opens the file or makes it, for its owner only, and gives every line to `onLine` as a parsed
   * value. Every line begins with one of `beginnings`: a file that somebody named by mistake is
   * refused and left as it is.
   */
  constructor(path: string, beginnings: readonly string[], onLine: (value: unknown) => void) {
    this.path = path;
    this.#beginnings = beginnings;
    this.#descriptor = openSync(path, "a+", 0o600);
    try {
      this.#end = this.#readAll(onLine);
      // What follows the last newline was cut off by a crash, before anything depended on it.
      ftruncateSync(this.#descriptor, this.#end);
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  get isEmpty(): boolean {
    return this.#end === 0;
  }

  get bytes(): number {
    return this.#end;
  }

  /** Appends a line per value; with `durable` it is on the disk when this returns. */
  append(values: readonly object[], { durable }: { readonly durable: boolean }): void {
    if (values.length === 0) return;
    this.#naming(() => {
      this.#end += writeLines(this.#descriptor, values);
    });
    if (durable) this.sync();
  }

  /** What was appended is on the disk when this returns. */
  sync(): void {
    this.#naming(() => fsyncSync(this.#descriptor));
  }

  #naming(write: () => void): void {
    try {
      write();
    } catch (error) {
      throw unwritable(this.path, error);
    }
  }

  /**
   * Puts other lines in the place of all that there are: what `replace` makes of each. A crash
   * leaves either the old lines or the new ones.
   */
  rewrite(replace: (value: unknown) => object): void {
    const temporary = `${this.path}.new`;
    const descriptor = openSync(temporary, "w+", 0o600);
    try {
      let end = 0;
      let lines: object[] = [];
      const write = () => {
        end += writeLines(descriptor, lines);
        lines = [];
      };
      this.#readAll((value) => {
        lines.push(replace(value));
        if (lines.length === linesAtOnce) write();
      });
      write();
      fsyncSync(descriptor);
      renameSync(temporary, this.path);
      closeSync(this.#descriptor);
      this.#descriptor = descriptor;
      this.#end = end;
    } catch (error) {
      closeSync(descriptor);
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  close(): void {
    this.sync();
    closeSync(this.#descriptor);
  }

  /** Returns where the last complete line ends. */
  #readAll(onLine: (value: unknown) => void): number {
    const chunk = Buffer.alloc(chunkBytes);
    let rest = Buffer.alloc(0);
    let end = 0;
    let lines = 0;
    for (let position = 0; ; ) {
      const count = readSync(this.#descriptor, chunk, 0, chunkBytes, position);
      if (count === 0) {
        this.#checkBeginning(rest.toString("utf8"), lines + 1);
        return end;
      }
      position += count;
      rest = Buffer.concat([rest, chunk.subarray(0, count)]);
      let start = 0;
      for (let at = rest.indexOf(newline); at >= 0; at = rest.indexOf(newline, start)) {
        lines += 1;
        onLine(this.#parse(rest.subarray(start, at).toString("utf8"), lines));
        end += at + 1 - start;
        start = at + 1;
      }
      rest = Buffer.from(rest.subarray(start));
    }
  }

  #parse(text: string, line: number): unknown {
    this.#checkBeginning(text, line);
    try {
      return JSON.parse(text);
    } catch {
      throw foreign(`${this.path}:${line}`);
    }
  }

  /** Half a line is fine as long as it is half of one of ours. */
  #checkBeginning(text: string, line: number): void {
    const isOurs = this.#beginnings.some((beginning) => {
      const length = Math.min(text.length, beginning.length);
      return text.slice(0, length) === beginning.slice(0, length);
    });
    if (!isOurs) throw foreign(`${this.path}:${line}`);
  }
}

/** The error for a file, or a line of it (`path:line`), that no command of ours has written. */
export function foreign(at: string): CliError {
  const next = "give another file with --out";
  return new CliError(`${at} was not written by 'bss submit' or 'bss import'`, next);
}

function writeLines(descriptor: number, values: readonly object[]): number {
  const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  writeWhole(descriptor, bytes);
  return bytes.length;
}
