/**
 * The participant whom all this must not concern: one record at a time, through two managers in
 * turn, and how long each takes to become final.
 */
import { utf8 } from "../../src/base/bytes.js";
import { type BssClient, document, RpcError } from "../../src/client/index.js";
import { pause } from "./pace.js";

const timeoutMs = 20_000;
const pauseMs = 50;
/** One in a hundred of some ten minutes. */
const slowestMax = 16;

export type HonestFigures = {
  readonly calls: number;
  readonly final: number;
  /** By reason. */
  readonly failed: Readonly<Record<string, number>>;
  /** Of all calls, the failed ones too; undefined without a call. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** What makes the 99th percentile: when it began, after the start of the phase, and its time. */
  readonly slowest: readonly { readonly afterS: number; readonly ms: number }[];
};

type Call = { readonly startedMs: number; readonly ms: number; readonly failure?: string };

export class HonestParticipant {
  readonly #clients: readonly BssClient[];
  readonly #calls: Call[] = [];
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  #pending: number | undefined;

  constructor(clients: readonly BssClient[]) {
    this.#clients = clients;
    this.#running = this.#run();
  }

  /** Of the calls that were made from then on; one that is under way counts with what it took. */
  figures(sinceMs: number): HonestFigures {
    const calls = this.#calls.filter(({ startedMs }) => startedMs >= sinceMs);
    const times = calls.map(({ ms }) => ms);
    const failed: Record<string, number> = {};
    for (const { failure } of calls) {
      if (failure !== undefined) failed[failure] = (failed[failure] ?? 0) + 1;
    }
    if (this.#pending !== undefined) times.push(performance.now() - this.#pending);
    times.sort((a, b) => a - b);
    const at = (share: number) =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))];
    const [p50Ms, p99Ms] = [at(0.5), at(0.99)];
    const slowest = [...calls].sort((a, b) => b.ms - a.ms).slice(0, slowestMax);
    return {
      calls: calls.length,
      final: calls.filter(({ failure }) => failure === undefined).length,
      failed,
      slowest: slowest.map(({ startedMs, ms }) => ({
        afterS: Math.round((startedMs - sinceMs) / 1_000),
        ms: Math.round(ms),
      })),
      ...(p50Ms !== undefined && { p50Ms }),
      ...(p99Ms !== undefined && { p99Ms }),
    };
  }

  /** Waits until a call that begins from here on succeeds; undefined when none does in time. */
  async recovered(patienceMs: number): Promise<number | undefined> {
    const sinceMs = performance.now();
    while (performance.now() - sinceMs < patienceMs) {
      const served = this.#calls.find((call) => call.startedMs >= sinceMs && !call.failure);
      if (served !== undefined) return served.startedMs + served.ms - sinceMs;
      await pause(100, this.#over.signal);
    }
    return undefined;
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    for (let number = 0; !signal.aborted; number++) {
      const client = this.#clients[number % this.#clients.length];
      if (client === undefined) return;
      const record = document({
        ownerId: client.profile.id,
        mediaType: "text/plain",
        name: "note",
        content: utf8(`honest ${number}`),
        timeMs: Date.now() - 60_000,
      });
      const startedMs = performance.now();
      this.#pending = startedMs;
      const failure = await client.submit(client.sign([record]), { timeoutMs, signal }).then(
        () => undefined,
        (error: unknown) => (error instanceof RpcError ? error.reason : String(error)),
      );
      this.#pending = undefined;
      if (signal.aborted) return;
      const ms = performance.now() - startedMs;
      this.#calls.push({ startedMs, ms, ...(failure !== undefined && { failure }) });
      await pause(pauseMs, signal);
    }
  }
}
