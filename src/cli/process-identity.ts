/**
 * Which process a process id means. Ids are used again after a process has ended, and mean
 * something else on another machine or in another container, so what names a process here is the id
 * together with its start and the surroundings in which it is valid.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export type ProcessIdentity = {
  readonly pid: number;
  /** When it started, in the system's own words; empty where that cannot be told. */
  readonly started: string;
  readonly host: string;
  /** The id that Linux draws at each boot; empty elsewhere. */
  readonly boot: string;
  /** The space in which `pid` is valid: containers have one each. Empty but on Linux. */
  readonly pidSpace: string;
};

/** "unknown": from here it cannot be seen whether it runs. */
type Liveness = "running" | "ended" | "unknown";

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    started: startOf(process.pid) ?? "",
    host: hostname(),
    boot: textOf("/proc/sys/kernel/random/boot_id"),
    pidSpace: pidSpace(),
  };
}

/** Whether a process runs, as far as `own` can see it. */
export function livenessOf(other: ProcessIdentity, own: ProcessIdentity): Liveness {
  if (other.boot !== own.boot) return other.host === own.host ? "ended" : "unknown";
  if (own.boot === "" && other.host !== own.host) return "unknown";
  if (other.pidSpace !== own.pidSpace) return "unknown";
  if (!exists(other.pid)) return "ended";
  const started = startOf(other.pid);
  // Where the start cannot be told, a process with this id has to be taken for the one that is
  // meant.
  const isTold = started !== undefined && other.started !== "";
  return isTold && started !== other.started ? "ended" : "running";
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** "ended" for a process that has ended and was not collected by its parent yet. */
function startOf(pid: number): string | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat !== "") {
    // The second field is the name in parentheses and may hold blanks and parentheses itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = ""] = fields;
    return state === "Z" || state === "X" ? "ended" : fields[startTimeField];
  }
  const told = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
  const text = told.status === 0 ? told.stdout.trim() : "";
  return text === "" ? undefined : text;
}

/** Field 22 of proc(5), counted from the state, which is field 3. */
const startTimeField = 19;

function pidSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}
