import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ManagerBlocksSchema,
  type VoteRequest,
  VoteRequestSchema,
  VoteResponseSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { PeerExchange } from "../../../../src/manager/peers/peer-exchange.js";
import { CandidateBlocks } from "../../../../src/manager/ring/candidate-blocks.js";
import type { InboundVotes, VoteMessage } from "../../../../src/manager/ring/inbound-votes.js";
import { Chain } from "../../ledger/support/chain.js";
import { callerContext, FakeStream } from "../support/fake-stream.js";
import { accept, attestation, proposal } from "../support/votes.js";

type Message = MessageInitShape<typeof VoteRequestSchema>["message"];

const peerIds = ["manager-2", "manager-3", "manager-4"] as const;
const { block, executed } = new Chain().propose();
const { facts } = executed;

describe("the exchange with other managers", () => {
  let sent: (readonly [to: string, request: VoteRequest])[];
  let taken: (readonly [from: string, kind: string])[];
  let read: (readonly [number, number])[];
  let answers: string[];
  let connected: boolean;
  let exchange: PeerExchange;

  beforeEach(() => {
    [sent, taken, read, answers, connected] = [[], [], [], [], true];
    const candidates = new CandidateBlocks(() => false);
    candidates.add(1, block);
    const take = async (from: string, { case: kind }: VoteMessage) => void taken.push([from, kind]);
    exchange = new PeerExchange({
      links: () => ({
        peerIds,
        isConnected: () => connected,
        sendVote: (to, request) => {
          sent.push([to, create(VoteRequestSchema, request)]);
          return true;
        },
      }),
      inbound: { take } as unknown as InboundVotes,
      candidates,
      readBlocks: async (from, limit) => {
        read.push([from, limit]);
        return create(ManagerBlocksSchema);
      },
      onBody: async (from) => void answers.push(`body from ${from}`),
      onBlocks: async (from) => void answers.push(`blocks from ${from}`),
    });
  });

  const serve = async (...messages: readonly Message[]) => {
    const requests = messages.map((message) =>
      create(VoteRequestSchema, message === undefined ? {} : { message }),
    );
    const stream = new FakeStream<VoteRequest, MessageInitShape<typeof VoteResponseSchema>>(
      ...requests,
    );
    stream.ended = true;
    await exchange.serve(callerContext("manager", "manager-2"), stream);
    return stream.written.map(({ message }) => message);
  };

  test("sends what is signed to everybody, a proposal with its body", () => {
    exchange.send({ kind: "vote", vote: accept("manager-1", facts) });
    exchange.send({ kind: "attestation", attestation: attestation("storage-1", facts) });
    const made = proposal("manager-1", facts);
    exchange.send({ kind: "proposal", proposal: made }, block);
    exchange.send({ kind: "proposal", proposal: made });
    assert.deepEqual(
      sent.map(([to]) => to),
      [...peerIds, ...peerIds, ...peerIds, ...peerIds],
    );
    const [, , , , , , withBody, , , without] = sent.map(([, { message }]) => message);
    assert.ok(withBody?.case === "proposal" && without?.case === "proposal");
    assert.deepEqual(withBody.value.block, block);
    assert.equal(without.value.block, undefined);
    assert.equal(made.block, undefined, "what goes into the vote log stays without");
  });

  test("asks only those who hold a body, and for blocks only where there is a link", () => {
    exchange.fetchBody(["manager-3"], 1, facts.blockId);
    assert.deepEqual(
      sent.map(([to, { message }]) => [to, message.case]),
      [["manager-3", "fetchBody"]],
    );
    assert.equal(exchange.fetchBlocks("manager-4", 5, 50), true);
    connected = false;
    assert.equal(exchange.fetchBlocks("manager-4", 5, 50), false);
    assert.equal(sent.length, 2);
  });

  test("gives out the bodies that it holds, and is silent about others", async () => {
    const known = { case: "fetchBody", value: { height: 1n, blockId: facts.blockId } } as const;
    const unknown = { case: "fetchBody", value: { blockId: new Uint8Array(32) } } as const;
    const [answer, ...more] = await serve(unknown, known);
    assert.ok(answer?.case === "body");
    assert.equal(answer.value.block, block);
    assert.deepEqual(more, []);
  });

  test("reads final blocks for peers within bounds", async () => {
    const fetch = (fromHeight: bigint, limit: number) =>
      ({ case: "fetchBlocks", value: { fromHeight, limit } }) as const;
    await serve(fetch(3n, 10), fetch(3n, 0), fetch(3n, 4_000_000_000), fetch(2n ** 64n - 1n, 1));
    assert.deepEqual(read, [
      [3, 10],
      [3, 1],
      [3, 100],
      [0, 1],
    ]);
  });

  test("hands everything else to the votes' gate in the caller's name", async () => {
    const vote = accept("manager-4", facts);
    await serve({ case: "vote", value: vote }, undefined, { case: "vote", value: vote });
    assert.deepEqual(taken, [
      ["manager-2", "vote"],
      ["manager-2", "vote"],
    ]);
  });

  test("hands answers on with the name of who gave them", async () => {
    for (const kind of ["body", "blocks"] as const) {
      const message = { case: kind, value: {} } as const;
      await exchange.onResponse("manager-3", create(VoteResponseSchema, { message }));
    }
    assert.deepEqual(answers, ["body from manager-3", "blocks from manager-3"]);
  });
});
