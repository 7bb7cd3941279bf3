/**
 * Many submissions in flight over one stream, which survives the loss of the stream.
 *
 * Each submission gets exactly one outcome. Until the outcome has come, the submission is kept.
 * After a reconnect, to the same manager or the next one, all submissions without an outcome are
 * sent again; records that got onto the ledger meanwhile are answered with their first receipt. If
 * a refusal says when to try again, that is done here and the caller does not see the refusal. A
 * manager that gives no outcomes is left if another one is better; see manager-watch.ts.
 *
 *     source ──take──▶ unanswered (at most inFlightMax) ──write──▶ manager
 *                          ▲          │ answer                        │
 *        stream is lost ───┘          ▼                               │
 *     all are written again       outcomes ──▶ caller ◀───────────────┘
 */
import {
  BroadcastService,
  type SubmitResponse,
  type SubmitStreamResponse,
  WaitFor,
} from "../../gen/bss/v1/broadcast_pb.js";
import type { Submission } from "../../gen/bss/v1/record_pb.js";
import type { ClientStream } from "../../rpc/channels/client-stream.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { rpcErrorOf, rpcErrorOfRefusal } from "../../rpc/status-details.js";
import { type Connections, ManagerRound, mayRepeat, pause } from "../manager-connections.js";
import { ManagerWatch } from "../manager-watch.js";
import { SubmissionSource } from "./submission-source.js";

export type SubmitStreamOptions = {
  /** Submissions without an outcome at any time; 32 when left out. */
  readonly inFlightMax?: number;
  /** WaitFor.COMMITTED when left out. */
  readonly waitFor?: WaitFor;
  /**
   * Ends the stream with an error when no outcome has come for so long; 5 minutes when left out.
   */
  readonly stallTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called after each loss of the stream, with the number of submissions to be sent again. */
  readonly onReconnect?: (error: RpcError, unanswered: number) => void;
};

/** What became of one submission. */
export type SubmissionOutcome = {
  /**
   * Place of the submission in the source, from 0. Outcomes come as they are final, in any order.
   */
  readonly index: number;
  readonly submission: Submission;
} & (
  | { readonly response: SubmitResponse; readonly refusal?: undefined }
  | { readonly response?: undefined; readonly refusal: RpcError }
);

type Stream = ClientStream<
  { requestId: bigint; submission: Submission; waitFor: WaitFor },
  SubmitStreamResponse
>;

/** One stream to one manager. `over` makes the sender stop. */
type Attempt = {
  readonly stream: Stream;
  over: boolean;
  stalled: boolean;
  /** Why the stream was left for one to another manager. */
  left?: RpcError;
  /** Whether the last answers were refusals for overload. */
  overloaded: boolean;
};

type Unanswered = { readonly index: number; readonly submission: Submission };

export const defaultInFlightMax = 32;
const defaultStallTimeoutMs = 5 * 60_000;
const stallChecksPerTimeout = 4;
/**
 * A node may fail by a fault of its own this often in a row. After that, something in the
 * submissions is taken to be the cause.
 */
const faultsMax = 3;
/** The shortest wait before a refused submission is sent again, ms. */
const retryWaitMinMs = 50;

/**
 * The outcomes of all submissions of `source`. Throws `RpcError` when the managers cannot or will
 * not go on.
 */
export function submitStream(
  connections: Connections,
  source: Iterable<Submission> | AsyncIterable<Submission>,
  options: SubmitStreamOptions = {},
): AsyncIterable<SubmissionOutcome> {
  return { [Symbol.asyncIterator]: () => new SubmitSession(connections, source, options).run() };
}

class SubmitSession {
  readonly #connections: Connections;
  readonly #options: SubmitStreamOptions;
  readonly #inFlightMax: number;
  readonly #stallTimeoutMs: number;
  readonly #source: SubmissionSource;
  /** Taken from the source and without an outcome, in the order of the source. */
  readonly #unanswered = new Map<bigint, Unanswered>();
  /** Submissions that wait until they may be sent again. */
  readonly #timers = new Set<NodeJS.Timeout>();
  #faults = 0;
  /** When the last answer came, or when the last time was that no answer was due. */
  #progressMs = performance.now();
  #lastError: RpcError | undefined;
  #wake = () => {};

  constructor(
    connections: Connections,
    source: Iterable<Submission> | AsyncIterable<Submission>,
    options: SubmitStreamOptions,
  ) {
    this.#connections = connections;
    this.#source = new SubmissionSource(source);
    this.#options = options;
    this.#inFlightMax = options.inFlightMax ?? defaultInFlightMax;
    this.#stallTimeoutMs = options.stallTimeoutMs ?? defaultStallTimeoutMs;
  }

  async *run(): AsyncGenerator<SubmissionOutcome, void, undefined> {
    const { signal, onReconnect } = this.#options;
    const round = new ManagerRound(this.#connections);
    try {
      for (;;) {
        const connection = this.#connections.current();
        const callOptions = signal === undefined ? {} : { signal };
        const stream = connection.open(BroadcastService.method.submitStream, callOptions);
        const attempt: Attempt = { stream, over: false, stalled: false, overloaded: false };
        const watch = new ManagerWatch(this.#connections, connection.address, {
          isDue: () => this.#unanswered.size > 0 && Number.isFinite(this.#progressMs),
          isOverloaded: () => attempt.overloaded,
          onBetter: (why) => {
            attempt.left = why;
            stream.cancel();
          },
        });
        try {
          for await (const outcome of this.#outcomesOf(attempt)) {
            round.succeed();
            watch.answered();
            attempt.overloaded = false;
            this.#faults = 0;
            // While the caller works on an outcome, no manager is late.
            this.#progressMs = Number.POSITIVE_INFINITY;
            yield outcome;
            this.#progressMs = performance.now();
          }
          if (this.#source.ended && this.#unanswered.size === 0) return;
          throw new RpcError("NODE_STOPPING", "the node ended the stream before it had answered");
        } catch (thrown) {
          const error = this.#errorToGoOnFrom(thrown, attempt);
          const waitMs = round.leave(connection, error);
          onReconnect?.(error, this.#unanswered.size);
          await pause(waitMs, signal);
        } finally {
          watch.stop();
        }
      }
    } finally {
      this.#source.close();
    }
  }

  /** Sends all that is unanswered and then the source on one stream, and gives what comes back. */
  async *#outcomesOf(attempt: Attempt): AsyncGenerator<SubmissionOutcome, void, undefined> {
    const { stream } = attempt;
    const sending = this.#send(attempt);
    // If the sending fails, the reading ends too.
    sending.catch(() => stream.cancel());
    const stallWatch = setInterval(
      () => this.#checkForStall(attempt),
      this.#stallTimeoutMs / stallChecksPerTimeout,
    );
    try {
      for await (const answer of stream.messages) {
        const outcome = this.#outcomeOf(answer, attempt);
        if (outcome !== undefined) yield outcome;
      }
    } finally {
      clearInterval(stallWatch);
      for (const timer of this.#timers) clearTimeout(timer);
      this.#timers.clear();
      attempt.over = true;
      stream.cancel();
      this.#wake();
      await sending;
    }
  }

  async #send(attempt: Attempt): Promise<void> {
    for (const id of [...this.#unanswered.keys()]) await this.#write(attempt, id);
    while (!attempt.over) {
      const inFlight = this.#unanswered.size;
      if (inFlight >= this.#inFlightMax || (this.#source.ended && inFlight > 0)) {
        await this.#change();
      } else if (this.#source.ended) {
        attempt.stream.end();
        return;
      } else {
        const taken = await Promise.race([this.#source.peek(), this.#change()]);
        if (taken === undefined || attempt.over) continue;
        const index = this.#source.take();
        if (taken.done === true) continue;
        if (inFlight === 0) this.#progressMs = performance.now();
        const id = BigInt(index) + 1n;
        this.#unanswered.set(id, { index, submission: taken.value });
        await this.#write(attempt, id);
      }
    }
  }

  /** Resolves at the next answer, or when the stream is over. */
  #change(): Promise<undefined> {
    return new Promise((resolve) => {
      this.#wake = () => resolve(undefined);
    });
  }

  async #write(attempt: Attempt, id: bigint): Promise<void> {
    const submission = this.#unanswered.get(id)?.submission;
    if (submission === undefined || attempt.over) return;
    const waitFor = this.#options.waitFor ?? WaitFor.COMMITTED;
    await attempt.stream.write({ requestId: id, submission, waitFor });
  }

  /**
   * Undefined for an answer without a result, and for a refusal that is retried. Throws if another
   * manager should be asked.
   */
  #outcomeOf(answer: SubmitStreamResponse, attempt: Attempt): SubmissionOutcome | undefined {
    const { requestId, result } = answer;
    const unanswered = this.#unanswered.get(requestId);
    if (unanswered === undefined || result.case === undefined) return undefined;
    if (result.case === "response") {
      this.#settle(requestId);
      return { ...unanswered, response: result.value };
    }
    const refusal = rpcErrorOfRefusal(result.value);
    if (refusal.status === "UNAVAILABLE") throw refusal;
    if (mayRepeat(refusal)) {
      this.#lastError = refusal;
      attempt.overloaded = refusal.status === "RESOURCE_EXHAUSTED";
      this.#sendLater(attempt, requestId, Math.max(refusal.retryAfterMs, retryWaitMinMs));
      return undefined;
    }
    this.#settle(requestId);
    return { ...unanswered, refusal };
  }

  #settle(id: bigint): void {
    this.#unanswered.delete(id);
    this.#progressMs = performance.now();
    this.#wake();
  }

  #sendLater(attempt: Attempt, id: bigint, waitMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#write(attempt, id);
    }, waitMs);
    this.#timers.add(timer);
  }

  #checkForStall(attempt: Attempt): void {
    if (!this.#stalled) return;
    attempt.stalled = true;
    attempt.stream.cancel();
  }

  get #stalled(): boolean {
    if (this.#unanswered.size === 0) return false;
    return performance.now() - this.#progressMs >= this.#stallTimeoutMs;
  }

  /** The error after which another stream is tried. Throws an error that ends everything. */
  #errorToGoOnFrom(thrown: unknown, attempt: Attempt): RpcError {
    if (this.#source.failed) throw this.#source.failure;
    if (this.#options.signal?.aborted === true) throw rpcErrorOf(thrown);
    const error = attempt.left ?? rpcErrorOf(thrown);
    if (attempt.stalled || (this.#stalled && mayRepeat(error))) {
      const cause = attempt.stalled ? this.#lastError : error;
      throw stallError(this.#stallTimeoutMs, this.#unanswered.size, cause);
    }
    this.#lastError = error;
    if (mayRepeat(error)) return error;
    // A connection that broke in the middle of a message looks like this too.
    const fault = ["INTERNAL", "UNKNOWN"].includes(error.status);
    this.#faults += 1;
    if (!fault || this.#faults > faultsMax) throw error;
    return error;
  }
}

function stallError(timeoutMs: number, unanswered: number, cause: RpcError | undefined): RpcError {
  const last = cause === undefined ? "" : `; the last error was: ${cause.message}`;
  const waiting = `${unanswered} submissions wait for their outcome`;
  const message = `no outcome for ${timeoutMs / 1000} s, and ${waiting}${last}`;
  const received = cause && { received: { status: cause.status, reason: cause.reason }, cause };
  return new RpcError("DEADLINE", message, { retryAfterMs: cause?.retryAfterMs ?? 0, ...received });
}
