/**
 * The one way in which whole files are written that must outlive a crash of the machine: all their
 * bytes, fsync of the file, and fsync of the directory that holds its name.
 *
 * A file is opened as 0600, so that a secret is at no moment readable by others.
 */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { toHex } from "../base/bytes.js";
import { randomBytes } from "../crypto/random.js";
import { type WriteCall, writeWhole } from "./whole-write.js";

/** The calls to the operating system that a test watches or lets fail. */
export type FileCalls = {
  readonly write: WriteCall;
  readonly sync: (descriptor: number) => void;
};

const systemCalls: FileCalls = { write: writeSync, sync: fsyncSync };

/**
 * Writes a file that others may read (0644), or puts it in the place of an old one: at no moment
 * does anybody find half of it, also after a crash.
 */
export function replacePublicFile(file: string, content: string, calls = systemCalls): void {
  const temporary = `${file}.${toHex(randomBytes(6))}.tmp`;
  createFile(temporary, content, { mode: 0o644, calls });
  try {
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(file), calls);
}

/** As `replacePublicFile`; makes the directory, for its owner only, if there is none. */
export function keepPublicFile(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  replacePublicFile(file, content);
}

/**
 * Writes a file for its owner only (0600); nothing is left of it when that fails. Throws EEXIST
 * when there is one.
 */
export function createSecretFile(file: string, content: string, calls = systemCalls): void {
  createFile(file, content, { mode: 0o600, calls });
  syncDirectory(dirname(file), calls);
}

function createFile(
  file: string,
  content: string,
  { mode, calls }: { readonly mode: number; readonly calls: FileCalls },
): void {
  const descriptor = openSync(file, "wx", 0o600);
  try {
    writeWhole(descriptor, Buffer.from(content), calls.write);
    fchmodSync(descriptor, mode);
    calls.sync(descriptor);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function syncDirectory(directory: string, calls: FileCalls): void {
  // Windows opens no directories; its file system keeps the names in its journal.
  if (process.platform === "win32") return;
  const descriptor = openSync(directory, "r");
  try {
    calls.sync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
