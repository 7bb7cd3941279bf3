/**
 * Says what a command waits for while no outcome comes: whose signatures are missing, or how many
 * submissions are ahead. The manager that is asked is the one that answers next; that it cannot be
 * reached is told elsewhere (`LossNotes`).
 */
import { formatDuration } from "../text/output.js";

/** Of GetStatusResponse. */
type Status = {
  readonly nodeId: string;
  readonly waiting?: { readonly text: string } | undefined;
  readonly poolSubmissions: number;
  readonly abstaining: string;
};

export type WaitingNotesOptions = {
  /** Asks a manager, for so long at most; may fail. */
  readonly ask: (options: { readonly timeoutMs: number }) => Promise<Status>;
  readonly print: (text: string) => void;
  /** Submissions without an outcome. */
  readonly inFlight: () => number;
  /** Does `work` after so many ms, unless it is cancelled; a timer that keeps no process alive. */
  readonly after?: (ms: number, work: () => void) => () => void;
};

/** The longest time to wait for a manager that is asked. */
const askMs = 2_000;
/** Silence before the first note, and between notes the more of it the longer it lasts, ms. */
const pausesMs = [3_000, 4_000, 10_000, 15_000, 30_000] as const;

export class WaitingNotes {
  readonly #options: WaitingNotesOptions;
  #cancel = () => {};
  #sinceMs = performance.now();
  #notes = 0;
  #stopped = false;

  constructor(options: WaitingNotesOptions) {
    this.#options = options;
    this.#wait();
  }

  /** Outcomes have come: the silence begins anew. */
  clear(): void {
    this.#notes = 0;
    this.#wait();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #wait(): void {
    this.#cancel();
    if (this.#stopped) return;
    if (this.#notes === 0) this.#sinceMs = performance.now();
    const pauseMs = pausesMs[Math.min(this.#notes, pausesMs.length - 1)] ?? 0;
    const { after = timer } = this.#options;
    this.#cancel = after(pauseMs, () => void this.#tell());
  }

  async #tell(): Promise<void> {
    const { ask, print, inFlight } = this.#options;
    const sinceMs = this.#sinceMs;
    if (inFlight() === 0) {
      this.clear();
      return;
    }
    const status = await ask({ timeoutMs: askMs }).catch(() => undefined);
    // An outcome came meanwhile.
    if (sinceMs !== this.#sinceMs || this.#stopped) return;
    this.#notes += 1;
    this.#wait();
    const why = status === undefined ? undefined : reasonFor(status);
    if (why === undefined) return;
    print(`bss: no outcome for ${formatDuration(performance.now() - sinceMs)}; ${why}`);
  }
}

function timer(ms: number, work: () => void): () => void {
  const timeout = setTimeout(work, ms).unref();
  return () => clearTimeout(timeout);
}

function reasonFor({ nodeId, waiting, poolSubmissions, abstaining }: Status): string | undefined {
  const queue = poolSubmissions === 1 ? "1 submission" : `${poolSubmissions} submissions`;
  const verb = poolSubmissions === 1 ? "waits" : "wait";
  if (waiting !== undefined && waiting.text !== "") {
    const why = `${nodeId} waits for ${waiting.text}`;
    return poolSubmissions === 0 ? why : `${why}; ${queue} ${verb} there for a block`;
  }
  if (abstaining !== "") return `${nodeId} signs nothing: ${abstaining}`;
  if (poolSubmissions === 0) return undefined;
  return `${queue} ${verb} on ${nodeId} for a block`;
}
