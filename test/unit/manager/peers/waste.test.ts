import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { systemTime } from "../../../../src/base/time.js";
import { EvidenceSchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  type VoteRequest,
  VoteRequestSchema,
  type VoteResponseSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { type ManagerOptions, managerContext } from "../../../../src/manager/manager-context.js";
import { restMsMax, Waste, wasteLimit } from "../../../../src/manager/peers/waste.js";
import { genesis } from "../../ledger/support/consortium.js";
import { callerContext, FakeStream } from "../support/fake-stream.js";
import { gate } from "../support/ledger-world.js";
import { receiverOf } from "../support/receiver.js";

describe("what a peer sends in vain", () => {
  let nowMs: number;
  let waits: number[];
  let waste: Waste;

  beforeEach(() => {
    [nowMs, waits] = [0, []];
    waste = new Waste({
      monotonicMs: () => nowMs,
      after: (delayMs, work) => {
        waits.push(delayMs);
        nowMs += delayMs;
        work();
        return { cancel: () => {} };
      },
    });
  });

  const send = (from: string, times: number) => {
    for (let i = 0; i < times; i++) waste.note(from, "SIGNATURE_INVALID");
  };

  test("makes its next messages wait once its budget is used up, the longer the more it owes", async () => {
    send("manager-2", wasteLimit.burst);
    assert.equal(waste.rest("manager-2"), undefined);
    send("manager-2", 1);
    await waste.rest("manager-2");
    send("manager-2", 5);
    await waste.rest("manager-2");
    assert.deepEqual(waits, [100, 500]);
    assert.equal(waste.rest("manager-2"), undefined, "it has paid");
    assert.equal(waste.rest("manager-3"), undefined, "nobody else waits");
  });

  test("never makes one message wait for long", async () => {
    send("manager-2", 10 * wasteLimit.burst);
    await waste.rest("manager-2");
    assert.deepEqual(waits, [restMsMax]);
  });

  test("is noted when it is dropped, and holds up the stream on which the peer goes on", async () => {
    const told: string[] = [];
    const time = { ...systemTime, monotonicMs: () => nowMs };
    const observer = { dropped: (from: string, reason: string) => told.push(`${from} ${reason}`) };
    const context = managerContext({ genesis, time, observer } as unknown as ManagerOptions);
    for (let i = 0; i <= wasteLimit.burst; i++)
      context.observer.dropped("manager-2", "VOTE_MALFORMED");
    assert.equal(told.length, wasteLimit.burst + 1);
    assert.notEqual(context.waste.rest("manager-2"), undefined);

    const { promise, open } = gate();
    const taken: string[] = [];
    const receiver = receiverOf({
      rest: () => promise,
      supervision: {
        isNews: () => false,
        takeHead: async () => "fits",
        take: async (from) => void taken.push(from),
        takeBlocks: async () => false,
      },
    });
    const message = { case: "evidence", value: create(EvidenceSchema) } as const;
    const stream = new FakeStream<VoteRequest, MessageInitShape<typeof VoteResponseSchema>>(
      create(VoteRequestSchema, { message }),
    );
    stream.ended = true;
    const served = receiver.serve(callerContext("manager", "manager-2"), stream);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(taken, []);
    open();
    await served;
    assert.deepEqual(taken, ["manager-2"]);
  });

  test("is not what others may have caused, or what depends on one's own ledger", () => {
    for (let i = 0; i < 10 * wasteLimit.burst; i++) {
      for (const reason of ["OVER_BUDGET", "SIGNER_UNKNOWN", "NOT_THE_PROPOSER"] as const) {
        waste.note("manager-2", reason);
      }
    }
    assert.equal(waste.rest("manager-2"), undefined);
  });
});
