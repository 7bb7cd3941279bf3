/** How a node of either role is started and ended: options, what a caller gets, what is closed. */
import type { DestinationStream } from "pino";

export type NodeOptions = {
  /** Where log lines go; standard output when absent. */
  readonly logTo?: DestinationStream;
  /** Makes the stack of an error fit for the log; as it is when absent. */
  readonly stackOf?: (stack: string) => string;
  /** Metrics of the process itself; false where several nodes share one. */
  readonly processMetrics?: boolean;
  /** Called when the node cannot go on; by default the error ends the process. */
  readonly onFatal?: (error: Error) => void;
};

export type RunningNode = {
  /** Where its gRPC server listens. */
  readonly port: number;
  /** Reads its certificates from disk again, and goes on. */
  reload(): void;
  close(): Promise<void>;
};

/** Runs `start`; if it fails, closes what it has opened. */
export async function openNode(
  start: (closers: Closers) => Promise<Pick<RunningNode, "port" | "reload">>,
): Promise<RunningNode> {
  const closers = new Closers();
  try {
    const { port, reload } = await start(closers);
    return { port, reload, close: () => closers.close() };
  } catch (error) {
    await closers.close();
    throw error;
  }
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

/** Closes what has been opened in the reverse order, each part once. */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];
  #closing: Promise<void> | undefined;

  add(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Goes on past one that fails, and rejects with the first failure at the end. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.reverse()) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
