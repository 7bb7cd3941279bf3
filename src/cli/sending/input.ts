/**
 * What is to be submitted, as something that can be read more than once: a file, or the content of
 * a stream. A stream (stdin, a pipe, a FIFO) is read to its end once, into a temporary file that
 * has no name any more, so that nothing of it stays behind, however this process ends.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addAbortSignal, Readable } from "node:stream";
import { writeWhole } from "../../config/whole-write.js";
import { refuseDirectory } from "../arguments.js";
import { CliError } from "../text/cli-error.js";
import { formatBytes } from "../text/output.js";

/** What the path names, before it is read. */
export type InputPlace = {
  /** The name of the input in messages. */
  readonly label: string;
  readonly isStream: boolean;
  /** Reads a stream to its end. Throws what `signal` is aborted with, and `CliError`. */
  readonly open: (signal: AbortSignal) => Promise<Input>;
};

export type Input = {
  readonly label: string;
  /** Whether the label says nothing of what is in it. */
  readonly isStream: boolean;
  readonly bytes: number;
  /** Each call reads from the beginning. */
  read(): Readable;
  /** Everything at once. */
  readAll(): Uint8Array;
  /** As many bytes as there are, up to `count`. */
  readBeginning(count: number): Uint8Array;
  close(): void;
};

const streamBytesMax = 1024 ** 3;
const chunkBytes = 64 * 1024;
const stdinPaths: readonly string[] = ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];
const stdin = 0;

/** Throws `CliError` for what is neither a file nor a stream, and what opening it throws. */
export function findInput(path: string): InputPlace {
  if (stdinPaths.includes(path)) {
    const label = "stdin";
    const isFile = fstatSync(stdin).isFile();
    const open = async (signal: AbortSignal) =>
      isFile ? inputOf({ label, isStream: true }, stdin) : spooled(label, process.stdin, signal);
    return { label, isStream: true, open };
  }
  refuseDirectory(path);
  const stats = statSync(path);
  if (stats.isFile()) {
    const open = async () => inputOf({ label: path, isStream: false }, openSync(path, "r"));
    return { label: path, isStream: false, open };
  }
  refuseDevice(path, stats);
  const open = (signal: AbortSignal) => spooled(path, openFifo(path), signal);
  return { label: path, isStream: true, open };
}

function refuseDevice(path: string, stats: Stats): void {
  if (stats.isFIFO()) return;
  throw new CliError(
    `${path} is neither a file nor a pipe`,
    "give the path of a file, or - to read from stdin",
  );
}

/**
 * A FIFO is opened without waiting for its writer: a thread that waits there cannot be called back,
 * and would keep the process from ending.
 */
function openFifo(path: string): Readable {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd: descriptor, readable: true, writable: false });
}

async function spooled(label: string, source: Readable, signal: AbortSignal): Promise<Input> {
  try {
    const spool = keeping(label, unnamedFile);
    try {
      let bytes = 0;
      for await (const chunk of addAbortSignal(signal, source) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > streamBytesMax) throw tooLong(label);
        keeping(label, () => writeWhole(spool, chunk));
      }
      return inputOf({ label, isStream: true }, spool);
    } catch (error) {
      closeSync(spool);
      throw error;
    }
  } finally {
    source.destroy();
  }
}

/** Names the directory, of which whoever pipes something into the command may know nothing. */
function keeping<T>(label: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const what = `${label} cannot be kept in ${tmpdir()} until it is sent`;
    const next = "free some space there, or name another directory in TMPDIR";
    throw new CliError(`${what}: ${(error as Error).message}`, next, { cause: error });
  }
}

function tooLong(label: string): CliError {
  return new CliError(
    `${label} is longer than ${formatBytes(streamBytesMax)}, the limit for a stream`,
    "write it into a file and submit the file",
  );
}

/** A file that only its owner can read, and that is gone when it is closed. */
function unnamedFile(): number {
  const directory = mkdtempSync(join(tmpdir(), "bss-submit-"));
  try {
    return openSync(join(directory, "input"), "wx+", 0o600);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function inputOf(named: Pick<Input, "label" | "isStream">, descriptor: number): Input {
  const bytes = fstatSync(descriptor).size;
  return {
    ...named,
    bytes,
    read: () => contentOf(descriptor),
    readAll: () => bytesOf(descriptor, bytes),
    readBeginning: (count) => bytesOf(descriptor, Math.min(count, bytes)),
    close: () => {
      if (descriptor !== stdin) closeSync(descriptor);
    },
  };
}

function bytesOf(descriptor: number, length: number): Uint8Array {
  const content = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = readSync(descriptor, content, at, length - at, at);
    if (count === 0) break;
    at += count;
  }
  return content.subarray(0, at);
}

/** Leaves the descriptor open, also when it is destroyed, which a stream of node:fs does not. */
function contentOf(descriptor: number): Readable {
  let position = 0;
  return new Readable({
    read() {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const count = readSync(descriptor, chunk, 0, chunkBytes, position);
      position += count;
      this.push(count === 0 ? null : chunk.subarray(0, count));
    },
  });
}
