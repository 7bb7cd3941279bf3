import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type VoteRequest, VoteRequestSchema } from "../../../../src/gen/bss/v1/vote_pb.js";
import { compactOf } from "../../../../src/ledger/blocks/compact-blocks.js";
import { PeerSender } from "../../../../src/manager/peers/peer-sender.js";
import { Chain } from "../../ledger/support/chain.js";
import { documentBytes, submitted } from "../../ledger/support/records.js";
import { accept, attestation, proposal } from "../support/votes.js";

const peerIds = ["manager-2", "manager-3", "manager-4"] as const;
const { block, executed } = new Chain().propose({ candidates: [submitted([documentBytes()])] });
const { facts } = executed;

describe("what is sent to other managers", () => {
  let sent: (readonly [to: string, request: VoteRequest])[];
  let connected: boolean;
  let sender: PeerSender;

  beforeEach(() => {
    [sent, connected] = [[], true];
    sender = new PeerSender(() => ({
      peerIds,
      isConnected: () => connected,
      sendVote: (to, request) => {
        sent.push([to, create(VoteRequestSchema, request)]);
        return true;
      },
    }));
  });

  test("sends what is signed to everybody, a proposal with its body", () => {
    sender.send({ kind: "vote", vote: accept("manager-1", facts) });
    sender.send({ kind: "attestation", attestation: attestation("storage-1", facts) });
    const made = proposal("manager-1", facts);
    sender.send({ kind: "proposal", proposal: made }, block);
    sender.send({ kind: "proposal", proposal: made });
    assert.deepEqual(
      sent.map(([to]) => to),
      [...peerIds, ...peerIds, ...peerIds, ...peerIds],
    );
    const [, , , , , , withBody, , , without] = sent.map(([, { message }]) => message);
    assert.ok(withBody?.case === "proposal" && without?.case === "proposal");
    assert.deepEqual(withBody.value.compact, compactOf(block));
    assert.equal(withBody.value.block, undefined);
    assert.equal(without.value.compact, undefined);
    assert.equal(made.compact, undefined, "what goes into the vote log stays without");
  });

  test("asks only those who hold a body, and for blocks only where there is a link", () => {
    sender.fetchBody(["manager-3"], 1, facts.blockId);
    assert.deepEqual(
      sent.map(([to, { message }]) => [to, message.case]),
      [["manager-3", "fetchBody"]],
    );
    sender.fetchEntries("manager-2", { height: 1, blockId: facts.blockId, entries: [0, 7] });
    const [to, { message } = { message: undefined }] = sent.pop() ?? [];
    assert.equal(to, "manager-2");
    assert.deepEqual(message?.case === "fetchEntries" && message.value.entries, [0, 7]);
    assert.equal(sender.fetchBlocks("manager-4", 5, 50), true);
    connected = false;
    assert.equal(sender.fetchBlocks("manager-4", 5, 50), false);
    assert.equal(sent.length, 2);
  });
});
