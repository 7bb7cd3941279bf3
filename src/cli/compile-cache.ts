/**
 * Runs a script as V8 compiled it for a process before. What V8 has compiled by the end of a
 * process, or after its first seconds, is kept in a file: to read that takes a third of the time
 * that compiling takes. Whoever can write there decides what runs, so it is used only where nobody
 * but this user can. A file is used only for the script and the version of Node.js that it was made
 * of, in the place where that script was, as stacks would name the other place; and if it is whole.
 * Otherwise all is compiled, and kept anew.
 */
import { createHash } from "node:crypto";
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

export type CompileCache = {
  readonly directory: string;
  /** What is compiled differs by what a process is for. */
  readonly purpose: string;
  /** Of the script's text. */
  readonly sourceSha256: string;
};

/** By then a node serves. */
const keepAfterMs = 5_000;
const digestBytes = 32;

/** What the script's text evaluates to. `filename` stands in stacks. */
export function runScript(
  text: string,
  filename: string,
  cache: CompileCache | undefined,
): unknown {
  if (cache === undefined || !isOwnDirectory(cache.directory)) {
    return new Script(text, { filename }).runInThisContext();
  }
  const file = fileOf(cache);
  const origin = `${cache.sourceSha256} ${filename}`;
  const cachedData = readCompiled(file, origin);
  const script = new Script(text, { filename, cachedData });
  if (cachedData === undefined || script.cachedDataRejected === true) {
    keepLater(() => writeCompiled(file, origin, script.createCachedData()));
  }
  return script.runInThisContext();
}

/**
 * Where compiled code is kept: where NODE_COMPILE_CACHE says, which is made, or in `directory`;
 * nowhere with NODE_DISABLE_COMPILE_CACHE=1. These are the variables of Node.js itself.
 */
export function cacheDirectory(directory: string): string | undefined {
  const { NODE_COMPILE_CACHE: named, NODE_DISABLE_COMPILE_CACHE: disabled } = process.env;
  if (disabled === "1") return undefined;
  if (named === undefined || named === "") return directory;
  try {
    mkdirSync(named, { recursive: true, mode: 0o700 });
  } catch {
    return undefined;
  }
  return named;
}

function isOwnDirectory(directory: string): boolean {
  const stats = statSync(directory, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && isOwn(stats);
}

function isOwn({ uid, mode }: Stats): boolean {
  return uid === process.getuid?.() && (mode & 0o022) === 0;
}

function fileOf({ directory, purpose }: CompileCache): string {
  return join(directory, `bss-${purpose}-${process.version}-${process.arch}`);
}

function readCompiled(file: string, origin: string): Buffer | undefined {
  try {
    // Others may have put it there while they could write to the directory.
    if (!isOwn(statSync(file))) return undefined;
    const bytes = readFileSync(file);
    const compiled = bytes.subarray(digestBytes);
    const isWhole = digestOf(origin, compiled).equals(bytes.subarray(0, digestBytes));
    return isWhole ? compiled : undefined;
  } catch {
    return undefined;
  }
}

function writeCompiled(file: string, origin: string, compiled: Buffer): void {
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, Buffer.concat([digestOf(origin, compiled), compiled]), {
      mode: 0o600,
    });
    renameSync(temporary, file);
  } catch {
    // No space, or it may only be read: the next process compiles, too.
    rmSync(temporary, { force: true });
  }
}

/** V8 looks at the length of the source only, and names the script as it was named then. */
function digestOf(origin: string, compiled: Uint8Array): Buffer {
  return createHash("sha256").update(origin).update(compiled).digest();
}

/** Once: in some seconds, or when the process ends before. */
function keepLater(keep: () => void): void {
  const keepNow = () => {
    clearTimeout(timer);
    process.off("exit", keepNow);
    keep();
  };
  const timer = setTimeout(keepNow, keepAfterMs).unref();
  process.on("exit", keepNow);
}
