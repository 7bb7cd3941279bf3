import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { toHex } from "../../../../src/base/bytes.js";
import {
  type BroadcastRequest,
  BroadcastRequestSchema,
  BroadcastResponseSchema,
  type SignedObjections,
  SignedObjectionsSchema,
} from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { type Submission, SubmissionSchema } from "../../../../src/gen/bss/v1/record_pb.js";
import { memoryBytesMaxOf } from "../../../../src/ledger/records/submissions.js";
import {
  BroadcastReceiver,
  relayedBytesMax,
} from "../../../../src/manager/submissions/broadcast-receiver.js";
import { BroadcastSender } from "../../../../src/manager/submissions/broadcast-sender.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";
import { callerContext, FakeStream } from "../support/fake-stream.js";

type Message = NonNullable<MessageInitShape<typeof BroadcastRequestSchema>["message"]>;

const peerIds = ["manager-2", "manager-3", "manager-4"] as const;
const parsed = submitted([documentBytes()]);
const { message: submission } = parsed;
const waiting = { submission: parsed, unsettled: new Map() };
const signed = (reason: string) =>
  create(SignedObjectionsSchema, {
    objections: [{ reason }],
    signature: { signature: new Uint8Array(64) },
  });
const noWaste = { rest: () => undefined };
const id = (byte: number) => new Uint8Array(32).fill(byte);

describe("the exchange of submissions between managers", () => {
  let sent: (readonly [to: string, what: string | undefined])[];
  let relayed: (readonly [from: string, submission: Submission])[];
  let verdicts: (readonly [from: string, first: number | undefined])[];
  let objections: (readonly [from: string, reason: string])[];
  let dropped: string[];
  let found: SignedObjections | undefined;
  /** How long a relayed submission is looked at; at once if undefined. */
  let look: Promise<undefined> | undefined;
  let requests: BroadcastRequest[];
  let timers: (readonly [delayMs: number, work: () => void])[];
  let nowMs: number;
  let nextProposer: string;
  let settled: Set<string>;
  let sender: BroadcastSender;
  let receiver: BroadcastReceiver;

  beforeEach(() => {
    [sent, relayed, verdicts, objections, dropped, found] = [[], [], [], [], [], undefined];
    [requests, timers, nowMs, look] = [[], [], 0, undefined];
    [nextProposer, settled] = ["manager-2", new Set()];
    const links = {
      peerIds,
      sendBroadcast: (to: string, request: BroadcastRequest) => {
        sent.push([to, request.message.case]);
        requests.push(request);
        return true;
      },
    };
    const after = (delayMs: number, work: () => void) => {
      timers.push([delayMs, work]);
      return { cancel: () => {} };
    };
    sender = new BroadcastSender({
      links: () => links,
      time: { monotonicMs: () => nowMs, after },
      nextProposer: () => nextProposer,
      isWaiting: (idHex) => !settled.has(idHex),
    });
    receiver = new BroadcastReceiver(
      { observer: { dropped: (_, what) => dropped.push(what) }, waste: noWaste },
      {
        submissions: {
          takeRelayed: async (from, message) => {
            relayed.push([from, message]);
            return look ?? found;
          },
          takeObjections: async (from, { objections: [first] }) =>
            void objections.push([from, first?.reason ?? ""]),
        },
        pool: {
          own: () => [waiting, waiting],
          verdict: (from, [first]) => verdicts.push([from, first]),
        },
        trigger: { check: () => {} },
        broadcast: sender,
      },
    );
  });

  const streamOf = (messages: readonly Message[]) => {
    const requests = messages.map((message) => create(BroadcastRequestSchema, { message }));
    const stream = new FakeStream<
      BroadcastRequest,
      MessageInitShape<typeof BroadcastResponseSchema>
    >(...requests);
    stream.ended = true;
    return stream;
  };
  const breathe = () => new Promise((resolve) => setImmediate(resolve));

  const serve = async (...messages: readonly Message[]) => {
    const stream = streamOf(messages);
    await receiver.serve(callerContext("manager", "manager-3"), stream);
    return stream.written;
  };

  test("tells every other manager: submissions, objections", () => {
    sender.relay({ submission, leftOut: [] });
    sender.sendObjections(signed("SALT_INVALID"));
    const whats = ["submission", "objections"];
    assert.deepEqual(
      sent,
      whats.flatMap((what) => peerIds.map((to) => [to, what])),
    );
  });

  test("makes one message for all of them, so that it is encoded once", () => {
    sender.relay({ submission, leftOut: [0] });
    assert.equal(new Set(requests).size, 1);
    assert.deepEqual(requests[0]?.leftOut, [0]);
  });

  /** By whom they were sent to; each verdict by its first byte. */
  const verdictsTo = (managerId: string) =>
    requests.flatMap(({ message }, i) => {
      if (message.case !== "verdict" || sent[i]?.[0] !== managerId) return [];
      return [message.value.submissionIds.map(([first]) => first)];
    });

  test("says a verdict at once to the next proposer, and those that follow closely together", () => {
    sender.sendVerdict(id(1));
    assert.deepEqual(sent, [["manager-2", "verdict"]]);
    nowMs = 2;
    sender.sendVerdict(id(2));
    nextProposer = "manager-3";
    sender.sendVerdict(id(3));
    assert.equal(sent.length, 1);
    assert.deepEqual(
      timers.map(([delayMs]) => delayMs),
      [200, 3],
    );
    nowMs = 5;
    timers[1]?.[1]();
    assert.deepEqual(verdictsTo("manager-2"), [[1], [2]]);
    assert.deepEqual(verdictsTo("manager-3"), [[3]]);
    nowMs = 10;
    sender.sendVerdict(id(4));
    assert.deepEqual(verdictsTo("manager-3"), [[3], [4]]);
  });

  for (const [when, then] of [
    ["when a block has been appended", () => sender.onAppended()],
    ["after a moment without a block", () => timers[0]?.[1]()],
  ] as const) {
    test(`tells all others what waits still ${when}`, () => {
      sender.sendVerdict(id(1));
      nextProposer = "manager-3";
      sender.sendVerdict(id(2));
      sender.sendVerdict(id(3));
      settled.add(toHex(id(4)));
      sender.sendVerdict(id(4));
      timers[1]?.[1]();
      requests.length = sent.length = 0;
      settled.add(toHex(id(3)));
      then();
      // There was no room for the fourth here, so nobody knows whether it waits elsewhere.
      assert.deepEqual(verdictsTo("manager-2"), [[2, 4]]);
      assert.deepEqual(verdictsTo("manager-3"), [[1]]);
      assert.deepEqual(verdictsTo("manager-4"), [[1, 2, 4]]);
      sender.onAppended();
      assert.equal(sent.length, 3, "nobody hears it twice");
    });
  }

  test("puts no more verdicts into a message than one may hold", () => {
    for (let i = 0; i < 2_001; i++) sender.sendVerdict(id(5));
    const counts = (managerId: string) => verdictsTo(managerId).map(({ length }) => length);
    assert.deepEqual(counts("manager-2"), [1, 1_000, 1_000]);
    assert.deepEqual(counts("manager-3"), [1_000, 1_000]);
  });

  test("gives a peer that comes back what is still open here, and only that peer", () => {
    receiver.onConnected("manager-4");
    assert.deepEqual(sent, [
      ["manager-4", "submission"],
      ["manager-4", "submission"],
    ]);
  });

  test("hands what peers say to the pool, under the name of the caller", async () => {
    await serve(
      { case: "submission", value: submission },
      { case: "verdict", value: { submissionIds: [id(1), id(2)] } },
      { case: "objections", value: signed("DOUBLE_SPEND") },
    );
    assert.deepEqual(relayed, [["manager-3", submission]]);
    assert.deepEqual(verdicts, [
      ["manager-3", 1],
      ["manager-3", 2],
    ]);
    assert.deepEqual(objections, [["manager-3", "DOUBLE_SPEND"]]);
  });

  test("answers a relayed submission with what is wrong with it", async () => {
    found = signed("SALT_INVALID");
    const [answer, ...more] = await serve({ case: "submission", value: submission });
    assert.deepEqual(answer?.message, { case: "objections", value: found });
    assert.deepEqual(more, []);
  });

  test("hears answers on the streams that it dialled, too", async () => {
    const heard: readonly Message[] = [
      { case: "verdict", value: { submissionIds: [id(7)] } },
      { case: "objections", value: signed("OWNER_UNKNOWN") },
    ];
    for (const message of heard) {
      const init = { message } as MessageInitShape<typeof BroadcastResponseSchema>;
      await receiver.onResponse("manager-2", create(BroadcastResponseSchema, init));
    }
    await receiver.onResponse("manager-2", create(BroadcastResponseSchema));
    assert.deepEqual(verdicts, [["manager-2", 7]]);
    assert.deepEqual(objections, [["manager-2", "OWNER_UNKNOWN"]]);
  });

  test("has room for what one manager relays, in memory and on all of its streams", async () => {
    const records = Array.from({ length: 1_000 }, () => new Uint8Array(16));
    const value = create(SubmissionSchema, { records });
    const relays = Array.from({ length: 100 }, () => ({ case: "submission", value }) as const);
    look = new Promise(() => {});
    void serve(...relays);
    void serve(...relays);
    await breathe();
    const bytes = relayed.length * memoryBytesMaxOf(value);
    assert(bytes <= relayedBytesMax, "no more than there is room for");
    assert(bytes + memoryBytesMaxOf(value) > relayedBytesMax, "and all of that");
    void receiver.serve(callerContext("manager", "manager-2"), streamOf(relays));
    await breathe();
    assert.equal(relayed.filter(([from]) => from === "manager-2").length, relayed.length / 2);
  });

  test("takes the next one as soon as there is room, one that is longer than all by itself", async () => {
    const value = create(SubmissionSchema, { records: [new Uint8Array(relayedBytesMax)] });
    const relay = { case: "submission", value } as const;
    let done = () => {};
    look = new Promise((resolve) => {
      done = () => resolve(undefined);
    });
    const served = serve(relay, relay);
    await breathe();
    assert.equal(relayed.length, 1);
    done();
    await served;
    assert.equal(relayed.length, 2);
  });

  test("drops verdicts by the thousands, and those about no submission", async () => {
    const submissionIds = Array.from({ length: 1_001 }, () => id(1));
    await serve(
      { case: "verdict", value: { submissionIds } },
      { case: "verdict", value: { submissionIds: [new Uint8Array(31), new Uint8Array()] } },
    );
    assert.deepEqual(verdicts, []);
    assert.deepEqual(dropped, ["TOO_MANY_VERDICTS"]);
  });
});
