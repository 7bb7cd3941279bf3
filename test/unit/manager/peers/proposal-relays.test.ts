import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  type Proposal,
  ProposalSchema,
  VoteKind,
  type VoteRequest,
  VoteSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import {
  ProposalRelays,
  proposalsNotedMax,
  relayAfterMs,
} from "../../../../src/manager/peers/proposal-relays.js";

const selfId = "manager-1";
const peerIds = ["manager-2", "manager-3", "manager-4"];

function proposalOf(
  block: number,
  from: { readonly round?: number; readonly managerId?: string } = {},
): Proposal {
  const blockId = new Uint8Array(32).fill(block);
  const base = { height: 5n, round: 0, validRound: -1, managerId: "manager-2" };
  return create(ProposalSchema, { ...base, ...from, blockId });
}

function approvalOf({ height, round, validRound, blockId }: Proposal, managerId: string) {
  const kind = VoteKind.APPROVE;
  return create(VoteSchema, { kind, height, round, validRound, blockId, managerId });
}

describe("a proposal of another manager is passed on", () => {
  let sent: { readonly message: VoteRequest["message"]; readonly to: string | undefined }[];
  let nowMs: number;
  let relays: ProposalRelays;

  const after = (ms: number) => {
    nowMs += ms;
    relays.tick();
    return sent.splice(0).map(({ to }) => to);
  };
  const decided = (height: number) => {
    relays.onAppended({ executed: { facts: { height } } as never });
    return sent.splice(0).map(({ to }) => to);
  };

  beforeEach(() => {
    sent = [];
    nowMs = 1_000;
    const peers = {
      peerIds,
      tell: (message: VoteRequest["message"], to?: string) => void sent.push({ message, to }),
    };
    relays = new ProposalRelays({ selfId, monotonicMs: () => nowMs }, { peers });
  });

  test("a moment later, to all but its author", () => {
    relays.send(proposalOf(1));
    assert.deepEqual(after(relayAfterMs - 1), []);
    assert.deepEqual(after(1), ["manager-3", "manager-4"]);
    assert.deepEqual(after(relayAfterMs), []);
  });

  test("not to those that approve its block in its round, or have passed it on", () => {
    const proposal = proposalOf(1);
    relays.hear("manager-3", approvalOf(proposal, "manager-3"));
    relays.send(proposal);
    relays.hear("manager-4", proposal);
    assert.deepEqual(after(relayAfterMs), []);
  });

  test("to those that have shown another one", () => {
    const proposal = proposalOf(1);
    relays.send(proposal);
    relays.hear("manager-3", approvalOf(proposalOf(2), "manager-3"));
    relays.hear("manager-4", proposalOf(1, { round: 1 }));
    assert.deepEqual(after(relayAfterMs), ["manager-3", "manager-4"]);
  });

  test("to those of whom only others say that they approve", () => {
    const proposal = proposalOf(1);
    relays.send(proposal);
    relays.hear("manager-4", approvalOf(proposal, "manager-3"));
    assert.deepEqual(after(relayAfterMs), ["manager-3", "manager-4"]);
  });

  test("at once when its height is decided", () => {
    const proposal = proposalOf(1);
    relays.send(proposal);
    relays.hear("manager-3", approvalOf(proposal, "manager-3"));
    assert.deepEqual(decided(4), []);
    assert.deepEqual(decided(5), ["manager-4"]);
    assert.deepEqual(after(relayAfterMs), []);
  });

  test("to all at once when the ring sends it again", () => {
    const proposal = proposalOf(1);
    relays.send(proposal);
    for (const id of peerIds) relays.hear(id, proposal);
    relays.send(proposal);
    assert.deepEqual(after(0), [undefined]);
  });

  test("to all at once when it is this manager's own", () => {
    relays.send(proposalOf(1, { managerId: selfId }));
    assert.deepEqual(after(0), [undefined]);
  });

  test("before it is forgotten because there are too many", () => {
    relays.send(proposalOf(1));
    for (let round = 1; round <= proposalsNotedMax; round++) {
      relays.hear("manager-2", proposalOf(1, { round }));
    }
    assert.deepEqual(after(0), ["manager-3", "manager-4"]);
  });
});
