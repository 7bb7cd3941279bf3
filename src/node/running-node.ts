/** What starting a node takes besides its config, and what it gives back; alike for both roles. */
import { type DestinationStream, type Logger, pino } from "pino";
import type { LogLevel } from "../config/node-config.js";
import { Closers } from "./closers.js";

export type NodeOptions = {
  /** Where log lines go; standard output when absent. */
  readonly logTo?: DestinationStream;
  /** Metrics of the process itself; false where several nodes share one. */
  readonly processMetrics?: boolean;
  /** Called when the node cannot go on; by default the error ends the process. */
  readonly onFatal?: (error: Error) => void;
};

export type RunningNode = {
  /** Where its gRPC server listens. */
  readonly port: number;
  close(): Promise<void>;
};

/** Runs `start`, which returns the port, and closes what it has opened when it fails. */
export async function openNode(start: (closers: Closers) => Promise<number>): Promise<RunningNode> {
  const closers = new Closers();
  try {
    const port = await start(closers);
    return { port, close: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** A log of JSON lines that each name the node. */
export function openLog(
  node: { readonly role: "manager" | "storage"; readonly id: string; readonly level: LogLevel },
  { logTo }: NodeOptions,
): Logger {
  const { role, id, level } = node;
  const settings = { level, base: { role, id } };
  return logTo === undefined ? pino(settings) : pino(settings, logTo);
}

/** Ends the process with the error, or tells whoever asked to be told. */
export function failNode(error: Error, { onFatal }: NodeOptions): void {
  if (onFatal !== undefined) {
    onFatal(error);
    return;
  }
  setImmediate(() => {
    throw error;
  });
}
