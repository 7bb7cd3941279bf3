/**
 * What commands print. Results go to stdout: a table or lines for people, with `--json` one JSON
 * value per result and nothing else. Everything that is not a result (progress, hints) goes to
 * stderr.
 *
 * Much of it was written by others: what nodes say of themselves, names on the ledger, files that
 * were handed over. None of that may move the cursor or begin a line of its own, so everything
 * passes `printable` here; only `lines` and `result` take several lines, of cells that are one
 * each.
 */
import { Socket } from "node:net";
import type { Writable } from "node:stream";
import type { Command } from "commander";
import { toHex } from "../../base/bytes.js";
import { printable, printableJson } from "../../base/printable.js";
import { writeWhole } from "../../config/whole-write.js";
import { exitCodes } from "./cli-error.js";
import { painted, type Tint, tinted, tintedMessage } from "./colours.js";

export type Cell = string | number | bigint | undefined;

export type Column = {
  readonly title: string;
  /** Numbers are read from the right. */
  readonly align?: "left" | "right";
  /** The colour of a cell. */
  readonly tint?: (text: string) => Tint | undefined;
};

export type Output = {
  /** Whether `--json` was given. */
  readonly json: boolean;
  /** Prints a result: `value` as JSON on one line, or else what `forPeople` makes of it. */
  result(value: unknown, forPeople: () => string): void;
  /** One line for people only, to stdout: nothing with `--json`. */
  line(text: string): void;
  /** Several lines for people only, such as a table. */
  lines(text: string): void;
  /** One line to stderr, in both modes. */
  note(text: string): void;
};

/** The output of the command that runs, by the shared options. */
export function outputOf(command: Command): Output {
  const json = command.optsWithGlobals<{ json?: boolean }>().json === true;
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  const paint = (text: string) => print(painted(text, process.stdout));
  return {
    json,
    result: (value, forPeople) => (json ? print(toJson(value)) : paint(forPeople())),
    line: (text) => (json ? undefined : print(printable(text))),
    lines: (text) => (json ? undefined : paint(text)),
    note: (text) => void process.stderr.write(`${note(text, process.stderr)}\n`),
  };
}

/** One line about something that is no result. */
export function note(text: string, stream: NodeJS.WriteStream): string {
  return painted(tintedMessage(printable(text), "warn"), stream);
}

/**
 * JSON on one line: byte strings as lower-case hex, integers as numbers. An integer beyond 2^53,
 * which most readers of JSON would round, is a string of its digits.
 */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value, function (this: Record<string, unknown>, key) {
    // Not the second argument: a Buffer has a toJSON of its own, which has been applied to that.
    const inner = this[key];
    if (inner instanceof Uint8Array) return toHex(inner);
    if (typeof inner === "bigint") {
      const number = Number(inner);
      return Number.isSafeInteger(number) ? number : inner.toString();
    }
    if (inner instanceof Map) return Object.fromEntries(inner);
    return inner;
  });
  // Undefined for a value that JSON does not have.
  return json === undefined ? json : printableJson(json);
}

/** A table with a header and columns as wide as they need to be; no trailing blanks. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => columns.map((_, index) => cellText(row[index])));
  const header = columns.map(({ title }) => title);
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...texts.map((row) => row[index]?.length ?? 0)),
  );
  const lineOf = (row: readonly string[]) =>
    row
      .map((text, index) => {
        const width = widths[index] ?? 0;
        const { align, tint } = columns[index] ?? {};
        const isLast = index === columns.length - 1;
        const padded = align === "right" ? text.padStart(width) : text.padEnd(isLast ? 0 : width);
        return row === header ? padded : tinted(tint?.(text), padded);
      })
      .join("  ")
      .trimEnd();
  return [header, ...texts].map(lineOf).join("\n");
}

/** Name and value pairs below each other, values aligned. */
export function fields(pairs: readonly (readonly [name: string, value: Cell])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${cellText(value)}`).join("\n");
}

/** "2024-05-17 13:00:00.250 UTC"; milliseconds only when there are some. */
export function formatTime(unixMs: number | bigint): string {
  const date = new Date(Number(unixMs));
  if (Number.isNaN(date.getTime())) return "never";
  return `${date.toISOString().replace("T", " ").replace(".000Z", "").replace("Z", "")} UTC`;
}

/** "850 ms", "12.3 s", "4 min 05 s", "3 h 20 min". */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

/** "12.0 MiB". */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** The beginning of a hash, enough to compare by eye. */
export function shortHash(hash: Uint8Array | string, digits = 12): string {
  return (typeof hash === "string" ? hash : toHex(hash)).slice(0, digits);
}

function cellText(cell: Cell): string {
  return cell === undefined ? "-" : printable(String(cell));
}

const endProcess = () => process.exit(exitCodes.success);
let atEnd: () => void = endProcess;
let atLoss: (error: Error) => void = endProcess;

/**
 * Ends the process when nobody reads its output any more: `bss list | head` closes stdout, and a
 * closed terminal fails with EIO. That is no error. It is one when a file does not take a result,
 * for instance on a full disk: then `lost` is called. Call it once, before anything is printed.
 */
export function watchOutput(lost: (error: Error) => void): void {
  atLoss = lost;
  writeWholly(process.stdout, (error) => atLoss(error));
  // There is no place left to say it.
  writeWholly(process.stderr, () => {});
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
      atEnd();
    });
  }
}

/**
 * For commands that have to stop others first: does `work` instead of ending the process, again at
 * each further write. What a file does not take is left out.
 */
export function whenOutputEnds(work: () => void): void {
  atEnd = work;
  atLoss = () => {};
}

/** The stream that Node.js makes for a file loses what a full disk leaves over of a write. */
function writeWholly(standard: NodeJS.WriteStream & { fd: number }, lost: typeof atLoss): void {
  const { fd } = standard;
  const stream: Writable = standard;
  // Pipes and terminals take all of a write, or fail.
  if (stream instanceof Socket) return;
  stream._write = (chunk: Uint8Array, _encoding, done) => {
    try {
      writeWhole(fd, chunk);
    } catch (error) {
      lost(error as Error);
    }
    done();
  };
}

/** "1 row", "2 rows". */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
