import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type RecordOutcome,
  RecordOutcomeSchema,
  type Refusal,
  SubmitRequestSchema,
  type SubmitResponse,
  SubmitResponseSchema,
  type SubmitStreamRequest,
  SubmitStreamRequestSchema,
  type SubmitStreamResponseSchema,
  WaitFor,
} from "../../../../src/gen/bss/v1/broadcast_pb.js";
import type { Submission } from "../../../../src/gen/bss/v1/record_pb.js";
import type { Submissions, TakeOptions } from "../../../../src/manager/submissions/submissions.js";
import { inFlightMax, SubmitService } from "../../../../src/manager/submissions/submit-service.js";
import type { Reason } from "../../../../src/rpc/reasons.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import type { CallContext } from "../../../../src/rpc/server/handlers.js";
import { statusCodes } from "../../../../src/rpc/status-codes.js";
import { rpcErrorFrom, until } from "../../../support/rpc-consortium.js";
import { documentBytes, submissionOf } from "../../ledger/support/records.js";
import { gate } from "../support/ledger-world.js";

type Take = (message: Submission | undefined, options: TakeOptions) => Promise<SubmitResponse>;
type Answer = MessageInitShape<typeof SubmitStreamResponseSchema>;

const submission = submissionOf([documentBytes()]);

function serviceOf(take: Take, waitMaxMs = 600_000): SubmitService {
  return new SubmitService({ take } as unknown as Submissions, waitMaxMs);
}

function contextOf(options: Partial<CallContext> = {}): CallContext {
  return {
    identity: { role: "participant", id: "participant-1" },
    peerAddress: "127.0.0.1:1",
    method: "",
    deadlineUnixMs: undefined,
    signal: new AbortController().signal,
    ...options,
  };
}

function refused(reason: Reason, field = ""): RecordOutcome {
  const value = { reason, message: "no", field };
  return create(RecordOutcomeSchema, { outcome: { case: "objection", value } });
}

const committed = create(RecordOutcomeSchema, { outcome: { case: "committed", value: {} } });
const responseOf = (...outcomes: RecordOutcome[]) => create(SubmitResponseSchema, { outcomes });

describe("Submit", () => {
  const submit = (take: Take, context = contextOf(), waitFor: number = WaitFor.COMMITTED) => {
    const request = create(SubmitRequestSchema, { submission, waitFor: waitFor as WaitFor });
    return serviceOf(take).submit(request, context);
  };

  test("submits in the caller's name and answers with what became of the records", async () => {
    const response = responseOf(committed, refused("DOUBLE_SPEND"));
    let options: TakeOptions | undefined;
    const answer = await submit(async (message, given) => {
      assert.equal(message, submission);
      options = given;
      return response;
    });
    assert.equal(answer, response);
    assert.equal(options?.callerId, "participant-1");
    assert.equal(options?.waitFor, WaitFor.COMMITTED);
  });

  test("counts bytes until the pool does, and leaves others some of what is free", async () => {
    const calls: TakeOptions[] = [];
    const held = gate();
    const service = serviceOf(async (_, options) => {
      calls.push(options);
      await held.promise;
      return responseOf(committed);
    });
    let handedOn = 0;
    const call = (id: string) => {
      const identity = { role: "participant", id } as const;
      const context = contextOf({ identity, handedOn: () => (handedOn += 1) });
      const large = { ...submission, records: [new Uint8Array(8 * 2 ** 20)] };
      const request = create(SubmitRequestSchema, { submission: large });
      const answer = service.submit(request, context);
      answer.catch(() => {});
      return answer;
    };
    const fill = async (id: string) => {
      for (;;) {
        const before = calls.length;
        const answer = call(id);
        if (calls.length === before) return rpcErrorFrom(answer);
      }
    };
    const failure = await fill("p1");
    assert.equal(failure.reason, "TOO_MANY_IN_FLIGHT");
    assert.equal(handedOn, calls.length + 1);
    const first = calls.length;
    for (const id of ["p2", "p3", "p4"]) await fill(id);
    const before = calls.length;
    call("p5");
    assert.equal(calls.length, before + 1);
    for (const { onPooled } of calls.slice(0, first)) onPooled?.();
    call("p1");
    assert.equal(calls.length, before + 2);
    // Each that waited would keep this process for its half minute.
    held.open();
  });

  test("fails with the first objection when nothing of it is on the ledger", async () => {
    const response = responseOf(refused("DOUBLE_SPEND", "energy_trade"), refused("SALT_INVALID"));
    const failure = await rpcErrorFrom(submit(async () => response));
    assert.equal(failure.reason, "DOUBLE_SPEND");
    assert.equal(failure.status, "FAILED_PRECONDITION");
    assert.equal(failure.field, "submission.records[0].energy_trade");
    assert.equal(failure.metadata.refused_records, "2");
  });

  test("refuses a value of WaitFor that it does not know", async () => {
    const failure = await rpcErrorFrom(submit(async () => responseOf(committed), contextOf(), 7));
    assert.deepEqual([failure.reason, failure.field], ["FIELD_INVALID", "wait_for"]);
  });

  test("gives up waiting in time for the answer, and when the caller has gone", async () => {
    const aborted = (context: CallContext) =>
      submit(
        (_, { signal }) =>
          new Promise((resolve) => {
            const done = () => resolve(responseOf(committed));
            if (signal.aborted) done();
            else signal.addEventListener("abort", done);
          }),
        context,
      );
    await aborted(contextOf({ deadlineUnixMs: Date.now() + 260 }));
    await aborted(contextOf({ deadlineUnixMs: Date.now() - 1_000 }));
    const caller = new AbortController();
    const waiting = aborted(contextOf({ signal: caller.signal }));
    caller.abort();
    await waiting;
  });
});

describe("SubmitStream", () => {
  /** A caller's end of the stream. */
  class Call {
    readonly answers: Answer[] = [];
    readonly done: Promise<void>;
    /** The caller's machine has taken an answer over, and the writer goes on. */
    read: Promise<void> = Promise.resolve();
    readonly #requests: SubmitStreamRequest[] = [];
    #ended = false;
    #wake = () => {};

    constructor(take: Take, service = serviceOf(take)) {
      const messages = { [Symbol.asyncIterator]: () => this.#messages() };
      const write = async (answer: Answer) => {
        this.answers.push(answer);
        await this.read;
        return true;
      };
      const writeInTurn = async (make: () => Promise<Answer>) => write(await make());
      const stream = { messages, write, writeInTurn, offer: () => true, end: () => {} };
      this.done = service.submitStream(contextOf(), stream);
    }

    send(requestId: number): void {
      const request = { requestId: BigInt(requestId), submission };
      this.#requests.push(create(SubmitStreamRequestSchema, request));
      this.#wake();
    }

    end(): void {
      this.#ended = true;
      this.#wake();
    }

    /** "1 response", "2 refusal POOL_FULL". */
    texts(): readonly string[] {
      return this.answers.map(({ requestId, result }) => {
        const reason = result?.case === "refusal" ? ` ${result.value.reason}` : "";
        return `${requestId} ${result?.case}${reason}`;
      });
    }

    async *#messages() {
      for (;;) {
        const next = this.#requests.shift();
        if (next !== undefined) yield next;
        else if (this.#ended) return;
        else
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
      }
    }
  }

  test("answers each request once, as it is final, and ends after the last", async () => {
    const gates = [gate(), gate()];
    let taken = 0;
    const call = new Call(async () => {
      await gates[taken++]?.promise;
      return responseOf(refused("DOUBLE_SPEND"));
    });
    call.send(1);
    call.send(2);
    call.end();
    await until(() => taken === 2);
    gates[1]?.open();
    await until(() => call.answers.length === 1);
    gates[0]?.open();
    await call.done;
    assert.deepEqual(call.texts(), ["2 response", "1 response"]);
  });

  test("refuses a submission as a whole in its answer, and goes on", async () => {
    const options = { field: "submission.signature" };
    const outcomes: (() => SubmitResponse)[] = [
      () => {
        throw new RpcError("SIGNATURE_INVALID", "forged", options);
      },
      () => {
        throw new RpcError("POOL_FULL", "full");
      },
      () => responseOf(committed),
    ];
    const call = new Call(async () => outcomes.shift()?.() ?? responseOf());
    for (const id of [1, 2, 3]) call.send(id);
    call.end();
    await call.done;
    assert.deepEqual(call.texts(), [
      "1 refusal SIGNATURE_INVALID",
      "2 refusal POOL_FULL",
      "3 response",
    ]);
    const [first, second] = call.answers.map(({ result }) => result?.value as Refusal);
    assert.equal(first?.code, statusCodes.INVALID_ARGUMENT);
    assert.equal(first?.field, "submission.signature");
    assert.equal(first?.message, "forged");
    assert.equal(first?.retryAfterMs, 0);
    assert.equal(second?.retryAfterMs, 1_000);
  });

  test("refuses a request id while it is in flight, and takes it afterwards", async () => {
    const held = gate();
    let taken = 0;
    const call = new Call(async () => {
      if (taken++ === 0) await held.promise;
      return responseOf(committed);
    });
    call.send(7);
    call.send(7);
    await until(() => call.answers.length === 1);
    held.open();
    await until(() => call.answers.length === 2);
    call.send(7);
    call.end();
    await call.done;
    assert.deepEqual(call.texts(), ["7 refusal REQUEST_ID_REPEATED", "7 response", "7 response"]);
  });

  test("takes a request again as soon as its answer is on the way", async () => {
    const held = gate();
    const call = new Call(async () => responseOf(committed));
    call.read = held.promise;
    call.send(7);
    await until(() => call.answers.length === 1);
    call.send(7);
    await until(() => call.answers.length === 2);
    held.open();
    call.end();
    await call.done;
    assert.deepEqual(call.texts(), ["7 response", "7 response"]);
  });

  test("takes a bounded number at a time of a participant, on all of its streams", async () => {
    const held = gate();
    const take = async () => {
      await held.promise;
      return responseOf(committed);
    };
    const service = serviceOf(take);
    const calls = [new Call(take, service), new Call(take, service)] as const;
    for (let id = 1; id <= inFlightMax / 2; id++) for (const call of calls) call.send(id);
    const [first, second] = calls;
    await until(() => true);
    second.send(inFlightMax);
    await until(() => second.answers.length === 1);
    assert.deepEqual(second.texts(), [`${inFlightMax} refusal TOO_MANY_IN_FLIGHT`]);
    assert.equal(first.answers.length, 0);
    held.open();
    await until(() => first.answers.length === inFlightMax / 2);
    await until(() => second.answers.length === inFlightMax / 2 + 1);
    second.send(1);
    for (const call of calls) call.end();
    await Promise.all(calls.map(({ done }) => done));
    assert.equal(second.texts().at(-1), "1 response");
  });

  test("takes a bounded number at a time", async () => {
    const held = gate();
    let taken = 0;
    const call = new Call(async () => {
      taken += 1;
      await held.promise;
      return responseOf(committed);
    });
    for (let id = 1; id <= inFlightMax + 1; id++) call.send(id);
    await until(() => call.answers.length === 1);
    assert.deepEqual(call.texts(), [`${inFlightMax + 1} refusal TOO_MANY_IN_FLIGHT`]);
    assert.equal(taken, inFlightMax);
    held.open();
    call.end();
    await call.done;
    assert.equal(call.answers.length, inFlightMax + 1);
  });

  test("answers a fault of the node as one, and ends with it, for its server to log", async () => {
    const held = gate();
    let taken = 0;
    const call = new Call(async () => {
      if (taken++ > 0) throw new Error("the disk is on fire");
      await held.promise;
      return responseOf(committed);
    });
    call.send(1);
    call.send(2);
    await until(() => call.answers.length === 1);
    held.open();
    call.send(3);
    await assert.rejects(call.done, /on fire/);
    assert.deepEqual(call.texts(), ["2 refusal INTERNAL", "1 response"]);
  });
});
