/** What processes use, as Linux counts it (proc(5)): CPU time, memory, bytes read and written. */
import { existsSync, readFileSync } from "node:fs";

export type Usage = {
  readonly cpuMs: number;
  readonly residentMiB: number;
  /** Everything that went through read and write: sockets and files. */
  readonly readBytes: number;
  readonly writtenBytes: number;
  /** What went to files alone, in whole pages; 0 on a file system in memory. */
  readonly diskBytes: number;
};

/** Clock ticks of a second in /proc: 100 on every Linux that Node runs on. */
const ticksPerS = 100;

export const canMeasure = existsSync("/proc/self/io");

/** User and system time of a process since it began, ms. Throws when it is gone. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name of the program is in parentheses and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks * 1_000) / ticksPerS;
}

export function usageOf(pid: number): Usage {
  const io = readFileSync(`/proc/${pid}/io`, "latin1");
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return {
    cpuMs: cpuMsOf(pid),
    residentMiB: numberAfter(status, "VmRSS:") / 1_024,
    readBytes: numberAfter(io, "rchar:"),
    writtenBytes: numberAfter(io, "wchar:"),
    diskBytes: numberAfter(io, "\nwrite_bytes:") - numberAfter(io, "cancelled_write_bytes:"),
  };
}

/** Of several processes together, since `before`. */
export function usedSince(pids: readonly number[], before: readonly Usage[]): Usage {
  const sum = { cpuMs: 0, residentMiB: 0, readBytes: 0, writtenBytes: 0, diskBytes: 0 };
  for (const [i, pid] of pids.entries()) {
    const [now, then] = [usageOf(pid), before[i]];
    sum.cpuMs += now.cpuMs - (then?.cpuMs ?? 0);
    sum.residentMiB += now.residentMiB;
    sum.readBytes += now.readBytes - (then?.readBytes ?? 0);
    sum.writtenBytes += now.writtenBytes - (then?.writtenBytes ?? 0);
    sum.diskBytes += now.diskBytes - (then?.diskBytes ?? 0);
  }
  return sum;
}

function numberAfter(text: string, name: string): number {
  const at = text.indexOf(name);
  return at < 0 ? 0 : Number.parseInt(text.slice(at + name.length), 10);
}
