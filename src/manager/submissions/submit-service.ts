/** BroadcastService's methods for participants: Submit and SubmitStream. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { Holdings } from "../../base/holdings.js";
import {
  type SubmitRequest,
  type SubmitResponse,
  type SubmitStreamRequest,
  type SubmitStreamResponse,
  SubmitStreamResponseSchema,
  WaitFor,
} from "../../gen/bss/v1/broadcast_pb.js";
import { memoryBytesOf } from "../../ledger/records/submissions.js";
import { reasonTable } from "../../rpc/reasons.js";
import { objectionDetails, RpcError } from "../../rpc/rpc-error.js";
import type { CallContext, ServerStream } from "../../rpc/server/handlers.js";
import { refusalOf } from "../../rpc/status-details.js";
import type { Identity } from "../../rpc/tls/tls-identity.js";
import { callWait } from "./call-wait.js";
import type { Submissions } from "./submissions.js";

/** How long a call waits for finality when its caller sets no deadline. */
const waitDefaultMs = 30_000;
/** Submissions that may wait at a time: of one participant on all of its streams. */
export const inFlightMax = 256;
/** And of all of them together. */
const inFlightTotalMax = 16_384;
/**
 * Memory of submissions that no pool counts: they wait to be looked at, or are there a second time.
 * One participant has a part of what is free, so that the next one always finds some.
 */
export const unpooledBytes = { totalMax: 256 * 1024 * 1024, partOfFree: 1 / 3 } as const;

export class SubmitService {
  readonly #submissions: Submissions;
  readonly #waitMaxMs: number;
  readonly #inFlight = new Holdings({ totalMax: inFlightTotalMax, perCauserMax: inFlightMax });
  readonly #unpooled = new Holdings({ ...unpooledBytes, perCauserMax: unpooledBytes.totalMax });

  /** `waitMaxMs`: so long a call may wait, whatever its deadline. */
  constructor(submissions: Submissions, waitMaxMs: number) {
    this.#submissions = submissions;
    this.#waitMaxMs = waitMaxMs;
  }

  /** The handler of BroadcastService.Submit. */
  async submit(request: SubmitRequest, context: CallContext): Promise<SubmitResponse> {
    const taken = this.#take(request, new CallWaits(context, this.#waitMaxMs));
    context.handedOn?.();
    const response = await taken;
    const refusal = wholeRefusal(response);
    if (refusal !== undefined) throw refusal;
    return response;
  }

  /** The handler of BroadcastService.SubmitStream. */
  async submitStream(
    context: CallContext,
    stream: ServerStream<SubmitStreamRequest, MessageInitShape<typeof SubmitStreamResponseSchema>>,
  ): Promise<void> {
    const waits = new CallWaits(context, this.#waitMaxMs);
    const unanswered = new Set<bigint>();
    const working = new Set<Promise<unknown>>();
    const { id: callerId } = context.identity;
    let fault: { readonly error: unknown } | undefined;
    for await (const request of stream.messages) {
      if (fault !== undefined) break;
      const { requestId } = request;
      const refused = this.#refusalOfRequest(requestId, unanswered, callerId);
      if (refused !== undefined) {
        await stream.write(refusalAnswer(requestId, refused));
        continue;
      }
      unanswered.add(requestId);
      const work = this.#answer(request, waits)
        .catch((error: unknown) => {
          fault ??= { error };
          return refusalAnswer(requestId, new RpcError("INTERNAL", "internal error"));
        })
        .then((answer) => {
          // The caller may send the request again as soon as it reads the answer.
          unanswered.delete(requestId);
          return stream.write(answer);
        })
        .finally(() => {
          working.delete(work);
          this.#inFlight.giveBack(callerId, 1);
        });
      working.add(work);
    }
    await Promise.all(working);
    // The server logs it and ends the stream with INTERNAL.
    if (fault !== undefined) throw fault.error;
  }

  /** Takes a place for the request, or says why there is none. */
  #refusalOfRequest(
    requestId: bigint,
    unanswered: ReadonlySet<bigint>,
    callerId: string,
  ): RpcError | undefined {
    if (unanswered.has(requestId)) {
      const text = `request ${requestId} is in flight on this stream already`;
      return new RpcError("REQUEST_ID_REPEATED", text, { field: "request_id" });
    }
    const full = this.#inFlight.take(callerId, 1);
    if (full === undefined) return undefined;
    const whose = full === "share" ? `${inFlightMax} submissions` : "as many submissions as may be";
    return new RpcError("TOO_MANY_IN_FLIGHT", `${whose} are in flight already`);
  }

  async #answer(request: SubmitStreamRequest, waits: CallWaits): Promise<SubmitStreamResponse> {
    const { requestId } = request;
    try {
      const value = await this.#take(request, waits);
      return create(SubmitStreamResponseSchema, {
        requestId,
        result: { case: "response", value },
      });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return refusalAnswer(requestId, error);
    }
  }

  async #take(
    { submission, waitFor }: SubmitRequest | SubmitStreamRequest,
    waits: CallWaits,
  ): Promise<SubmitResponse> {
    if (!Object.values<number>(WaitFor).includes(waitFor)) {
      throw new RpcError("FIELD_INVALID", "no such value of WaitFor", { field: "wait_for" });
    }
    const { id: callerId } = waits.caller;
    const bytes = submission === undefined ? 0 : memoryBytesOf(submission);
    let counted = 0;
    const count = (more: number) => {
      if (this.#unpooled.take(callerId, more) !== undefined) {
        const text = "as many bytes of submissions as may be wait to be looked at";
        throw new RpcError("TOO_MANY_IN_FLIGHT", text, { metadata: { bytes: String(more) } });
      }
      counted += more;
    };
    count(bytes);
    const onPooled = () => {
      this.#unpooled.giveBack(callerId, counted);
      counted = 0;
    };
    try {
      return await waits.during((signal) =>
        this.#submissions.take(submission, {
          callerId,
          waitFor,
          signal,
          onParsed: count,
          onPooled,
        }),
      );
    } finally {
      onPooled();
    }
  }
}

/**
 * The waits of one call: each ends with its own time, all of them with the call. The call listens
 * to its signal once, as a stream lives for any number of submissions.
 */
class CallWaits {
  readonly #context: CallContext;
  readonly #maxMs: number;
  readonly #open = new Set<AbortController>();

  constructor(context: CallContext, maxMs: number) {
    this.#context = context;
    this.#maxMs = maxMs;
    const endAll = () => {
      for (const wait of this.#open) wait.abort();
    };
    context.signal.addEventListener("abort", endAll, { once: true });
  }

  get caller(): Identity {
    return this.#context.identity;
  }

  /**
   * Runs `work`, whose signal aborts in time for an answer before the caller's deadline; its reason
   * then says why.
   */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal } = this.#context;
    const [maxMs, nowMs] = [this.#maxMs, Date.now()];
    const { ms, ended } = callWait(this.#context, { defaultMs: waitDefaultMs, maxMs, nowMs });
    const wait = new AbortController();
    const timer = setTimeout(() => wait.abort(ended()), ms);
    if (signal.aborted) wait.abort();
    this.#open.add(wait);
    try {
      return await work(wait.signal);
    } finally {
      clearTimeout(timer);
      this.#open.delete(wait);
    }
  }
}

/**
 * The refusal of a submission none of whose records is or will be on the ledger, by its first
 * objection; undefined when there is a record to show.
 */
function wholeRefusal({ outcomes }: SubmitResponse): RpcError | undefined {
  if (outcomes.some(({ outcome }) => outcome.case !== "objection")) return undefined;
  const outcome = outcomes[0]?.outcome;
  if (outcome?.case !== "objection") return undefined;
  const { reason, message } = outcome.value;
  return new RpcError(
    defined(knownReason(reason), "objections name reasons of the table"),
    message,
    objectionDetails(outcome.value, { index: 0, refused: outcomes.length }),
  );
}

function knownReason(reason: string) {
  return reason in reasonTable ? (reason as keyof typeof reasonTable) : undefined;
}

function refusalAnswer(requestId: bigint, error: RpcError): SubmitStreamResponse {
  return create(SubmitStreamResponseSchema, {
    requestId,
    result: { case: "refusal", value: refusalOf(error) },
  });
}
