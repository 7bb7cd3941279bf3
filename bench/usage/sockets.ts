/** Bytes that processes have sent and received over TCP, from iproute2's `ss` where it is there. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export type SocketBytes = { readonly sent: number; readonly received: number };

const outputBytesMax = 64 * 1_024 * 1_024;

/**
 * Of the connections that are open now, since each was made, by process id; without those to or
 * from the ports named. Undefined without `ss`, or when it may not see whose they are.
 */
export async function readSocketBytes(
  withoutPorts: ReadonlySet<number>,
): Promise<ReadonlyMap<number, SocketBytes> | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ss", ["-tinHOp"], { maxBuffer: outputBytesMax });
    const bytes = parseSocketBytes(stdout, withoutPorts);
    return bytes.size > 0 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

export function parseSocketBytes(
  text: string,
  withoutPorts: ReadonlySet<number>,
): ReadonlyMap<number, SocketBytes> {
  const sums = new Map<number, SocketBytes>();
  for (const line of text.split("\n")) {
    const ports = [...line.matchAll(/\S:(\d+)(?=\s)/g)].slice(0, 2).map(([, port]) => Number(port));
    if (ports.some((port) => withoutPorts.has(port))) continue;
    const pid = Number(/\bpid=(\d+)/.exec(line)?.[1]);
    if (Number.isNaN(pid)) continue;
    const { sent, received } = sums.get(pid) ?? { sent: 0, received: 0 };
    const count = (name: string) => Number(new RegExp(`\\b${name}:(\\d+)`).exec(line)?.[1] ?? 0);
    sums.set(pid, {
      sent: sent + count("bytes_sent"),
      received: received + count("bytes_received"),
    });
  }
  return sums;
}
