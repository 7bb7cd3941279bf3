/**
 * A directory tree that appears at once or not at all. It is written into a directory beside the
 * target, which only its owner can read, and renamed when it is complete. Renaming replaces only an
 * empty directory, so nothing that exists is lost.
 *
 * Modes are set on the opened file, because the umask of the process cannot be trusted: 0700 for
 * directories, 0600 for secrets, 0644 for public files.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { toHex } from "../../base/bytes.js";
import { writeWhole } from "../../config/whole-write.js";
import { randomBytes } from "../../crypto/random.js";
import { CliError } from "../text/cli-error.js";

export interface NewTree {
  /** Makes a directory and those above it; paths are relative to the tree. */
  directory(path: string): void;
  /** A file that everybody may read. */
  publicFile(path: string, content: string | Uint8Array): void;
  /** A file for its owner only. */
  secretFile(path: string, content: string | Uint8Array): void;
}

/**
 * Runs `build` and puts what it wrote at `target`. Throws `CliError` when there is something
 * already.
 */
export async function createTree(
  target: string,
  build: (tree: NewTree) => Promise<void>,
): Promise<void> {
  const path = resolve(target);
  refuseExisting(path);
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${toHex(randomBytes(6))}.tmp`);
  const remove = () => rmSync(temporary, { recursive: true, force: true });
  const interrupted = () => {
    remove();
    process.exit(130);
  };
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    makeDirectory(temporary);
    await build(treeAt(temporary));
    moveTo(temporary, path);
  } finally {
    remove();
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  }
}

function treeAt(root: string): NewTree {
  const directory = (path: string): void => {
    if (path === "." || existsSync(join(root, path))) return;
    directory(dirname(path));
    makeDirectory(join(root, path));
  };
  const file = (path: string, content: string | Uint8Array, mode: number) => {
    directory(dirname(path));
    writeNewFile(join(root, path), content, mode);
  };
  return {
    directory,
    publicFile: (path, content) => file(path, content, 0o644),
    secretFile: (path, content) => file(path, content, 0o600),
  };
}

function makeDirectory(path: string): void {
  mkdirSync(path, { mode: 0o700 });
  chmodSync(path, 0o700);
}

function writeNewFile(path: string, content: string | Uint8Array, mode: number): void {
  // Opened as 0600, so that a secret is at no moment readable by others; "wx" refuses what exists.
  const descriptor = openSync(path, "wx", 0o600);
  try {
    writeWhole(descriptor, typeof content === "string" ? Buffer.from(content) : content);
    fchmodSync(descriptor, mode);
  } finally {
    closeSync(descriptor);
  }
}

function refuseExisting(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (stats.isDirectory() && readdirSync(path).length === 0) return;
  throw exists(path);
}

function moveTo(temporary: string, path: string): void {
  try {
    renameSync(temporary, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR") throw exists(path);
    throw error;
  }
}

function exists(path: string): CliError {
  return new CliError(
    `${path} exists already, and nothing is overwritten`,
    "give another directory with --dir, or move this one away if its keys are no longer needed",
  );
}
