/**
 * A lock that one process at a time holds, for files that two processes must not write at once.
 *
 * Node.js has no lock that the system frees when a process ends. So a lock can be left behind, and
 * whoever takes it over must not take away a lock that another process got in the same moment.
 * Therefore no file is shared. Each process puts down a claim of its own, under a name that is
 * never used again, and only then looks for the claims of others:
 *
 *     receipts.jsonl.lock.3f0c…   {"pid":811,"started":"94177","host":"desk",…}
 *
 * Claims of processes that have ended are removed, which harms nobody. If the claim of another
 * process remains, the process removes its own claim and does not get the lock. Each process puts
 * down its claim before it looks, so of two that come at once at least one sees the other, and they
 * never both hold the lock. If both see each other, both step back and try again after a moment of
 * random length.
 *
 * On a file system that several machines share, the claim of another machine counts until somebody
 * removes it. Two machines may both get the lock if they come within the time that the file system
 * takes to show new files everywhere.
 */
import {
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { toHex } from "../base/bytes.js";
import { err, ok, type Result } from "../base/result.js";
import { randomBytes } from "../crypto/random.js";
import { livenessOf, ownIdentity, type ProcessIdentity } from "./process-identity.js";
import { CliError } from "./text/cli-error.js";
import { formatTime } from "./text/output.js";

export type ProcessLock = { release(): void };

/** Who has the lock that was asked for. */
type LockHolder = {
  readonly pid: number;
  readonly host: string;
  /** Unix ms. */
  readonly sinceMs: number;
  /** What it left on the disk. */
  readonly claimFile: string;
  /** False for a process of another machine or container, which may have ended long ago. */
  readonly isSeen: boolean;
};

type Claim = ProcessIdentity & { readonly since_unix_ms: number };

const nameBytes = 8;
const claimPattern = /^\.lock\.[0-9a-f]{16}$/;
/** A holder that is younger than this may only have asked for the lock, and may step back. */
const freshMs = 1_000;
const attemptsMax = 8;
const pauseMs = { min: 10, max: 60 } as const;

/**
 * The lock of `path`, or a `CliError` that says which process has it. `what` says what that process
 * does, and `next` what to do while it runs.
 */
export async function lockOrRefuse(
  path: string,
  { what, next }: { readonly what: string; readonly next: string },
): Promise<ProcessLock> {
  const acquired = await acquireLock(path);
  if (acquired.ok) return acquired.value;
  const { pid, host, sinceMs, claimFile, isSeen } = acquired.error;
  const since = sinceMs > 0 ? `, since ${formatTime(sinceMs)}` : "";
  if (isSeen) throw new CliError(`${what} (process ${pid}${since})`, next);
  // It is on another machine or in another container: only a person can tell whether it has ended.
  throw new CliError(
    `${what} (process ${pid} of ${host}${since}; from here it cannot be seen whether it still runs)`,
    `if that process has ended, remove ${claimFile}`,
  );
}

/**
 * The lock of `path`. The file need not exist, but its directory must. Never waits for the holder.
 */
export async function acquireLock(path: string): Promise<Result<ProcessLock, LockHolder>> {
  const target = canonicalPath(path);
  const own = ownIdentity();
  for (let attempt = 1; ; attempt++) {
    const sinceMs = Date.now();
    const claimFile = putClaim(target, { ...own, since_unix_ms: sinceMs });
    const release = () => rmSync(claimFile, { force: true });
    let holder: LockHolder | undefined;
    try {
      holder = otherHolder(target, claimFile, own);
    } catch (error) {
      release();
      throw error;
    }
    if (holder === undefined) return ok({ release });
    release();
    const isFresh = holder.isSeen && Math.abs(sinceMs - holder.sinceMs) < freshMs;
    if (!isFresh || attempt === attemptsMax) return err(holder);
    await pause(pauseMs.min + Math.random() * (pauseMs.max - pauseMs.min));
  }
}

/** One name for a file, whatever links lead to it. */
function canonicalPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(realpathSync(dirname(path)), basename(path));
  }
}

/** A claim appears with all that it says, or not at all. */
function putClaim(target: string, claim: Claim): string {
  const file = `${target}.lock.${toHex(randomBytes(nameBytes))}`;
  const half = `${file}.new`;
  writeFileSync(half, `${JSON.stringify(claim)}\n`, { flag: "wx", mode: 0o644 });
  renameSync(half, file);
  return file;
}

/** Another process with a claim; claims of processes that have ended are removed. */
function otherHolder(
  target: string,
  ownClaim: string,
  own: ProcessIdentity,
): LockHolder | undefined {
  const base = basename(target);
  for (const name of readdirSync(dirname(target))) {
    if (!name.startsWith(base) || !claimPattern.test(name.slice(base.length))) continue;
    const claimFile = join(dirname(target), name);
    if (claimFile === ownClaim) continue;
    const claim = readClaim(claimFile);
    if (claim === undefined) continue;
    const liveness = livenessOf(claim, own);
    if (liveness === "ended") rmSync(claimFile, { force: true });
    else {
      const { pid, host, since_unix_ms: sinceMs } = claim;
      return { pid, host, sinceMs, claimFile, isSeen: liveness === "running" };
    }
  }
  return undefined;
}

/** Undefined for a claim that has just been taken back. */
function readClaim(file: string): Claim | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const value = parsed(text);
  return {
    pid: Number(value?.pid ?? 0),
    started: String(value?.started ?? ""),
    host: String(value?.host ?? "unknown"),
    boot: String(value?.boot ?? ""),
    pidSpace: String(value?.pidSpace ?? ""),
    since_unix_ms: Number(value?.since_unix_ms ?? 0),
  };
}

function parsed(text: string): Partial<Claim> | null {
  try {
    return JSON.parse(text) as Partial<Claim> | null;
  } catch {
    return null;
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
