import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeightState } from "../../../../src/consensus/height/height-state.js";
import type { Outgoing } from "../../../../src/consensus/ring/events.js";
import { messagesToResend } from "../../../../src/consensus/ring/resend.js";
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { nil, RingBench } from "../support/ring-bench.js";

const bench = new RingBench({ managers: 4, self: 3 });
const { ACCEPT, APPROVE, COMMIT } = VoteKind;

/** Rounds 0 to 3 with a proposal each; polkas for A0 in rounds 1 and 2, attested in every round. */
function busyState(): HeightState {
  const state = new HeightState({ height: bench.height, members: bench.members });
  for (const manager of [1, 2, 3]) state.votes.add(bench.vote(ACCEPT, 0, "A0", manager), 0);
  for (let round = 0; round <= 3; round++) {
    state.addProposal(bench.proposal(round, "A0"), 0);
    const approvers = round === 1 || round === 2 ? [1, 2, 4] : [1, 2];
    for (const i of approvers) state.votes.add(bench.vote(APPROVE, round, "A0", i), 0);
    state.votes.add(bench.vote(COMMIT, round, nil, 4), 0);
    for (const node of bench.committee("A0", round)) {
      state.attestations.add(bench.attestation(round, "A0", node));
    }
  }
  return state;
}

describe("what is sent again", () => {
  test("are the proposals and votes of this round and the one before, each once", () => {
    const messages = messagesToResend(busyState(), 3, undefined);
    assert.deepEqual(counts(messages), {
      "proposal r2": 1,
      "proposal r3": 1,
      "approve r2": 3,
      "approve r3": 2,
      "commit r2": 1,
      "commit r3": 1,
      accept: 3,
    });
  });

  test("are the attestations of this round too, once its polka exists", () => {
    const messages = messagesToResend(busyState(), 2, undefined);
    const committee = bench.committee("A0", 2);
    assert.equal(counts(messages)["attestation r2"], committee.length);
    assert.equal(counts(messages)["attestation r1"], undefined);
  });

  test("is the certificate of the valid block", () => {
    const certificate = bench.lockCertificate(1, "A0", [1, 2, 4]);
    const messages = messagesToResend(busyState(), 3, certificate);
    assert.deepEqual(messages.at(-1), { kind: "lock-certificate", certificate });
  });

  test("is nothing, when nothing is known", () => {
    const state = new HeightState({ height: bench.height, members: bench.members });
    assert.deepEqual(messagesToResend(state, 0, undefined), []);
  });
});

function counts(messages: readonly Outgoing[]): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const message of messages) {
    const name = nameOf(message);
    found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}

function nameOf(message: Outgoing): string {
  switch (message.kind) {
    case "proposal":
      return `proposal r${message.proposal.round}`;
    case "vote": {
      const { kind, round } = message.vote;
      if (kind === ACCEPT) return "accept";
      return `${kind === APPROVE ? "approve" : "commit"} r${round}`;
    }
    case "attestation":
      return `attestation r${message.attestation.round}`;
    default:
      return message.kind;
  }
}
