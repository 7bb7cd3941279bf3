import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HeightEvent } from "../../../../src/consensus/ring/events.js";
import {
  NextHeight,
  nextAttestationsMax,
  nextCertificatesMax,
  nextOfManagerMax,
  nextOfStorageNodeMax,
} from "../../../../src/consensus/ring/next-height.js";
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { RingBench } from "../support/ring-bench.js";

const bench = new RingBench({ managers: 4, self: 3, height: 5 });

function kept(events: readonly HeightEvent[]): readonly HeightEvent[] {
  const next = new NextHeight();
  for (const event of events) next.keep(event, bench.height, bench.members);
  const taken = next.take();
  assert.deepEqual(next.take(), [], "nothing is left");
  return taken;
}

function vote(manager: number, round: number): HeightEvent {
  return { kind: "vote", vote: bench.vote(VoteKind.APPROVE, round, "A0", manager) };
}

function attestation(node: string, round: number): HeightEvent {
  return { kind: "attestation", attestation: bench.attestation(round, "A0", node) };
}

function certificate(round: number, approvers: readonly number[]): HeightEvent {
  const certificate = bench.lockCertificate(round, "A0", approvers);
  return { kind: "lock-certificate", certificate };
}

describe("what is kept of the next height", () => {
  test("is taken in the order in which it came", () => {
    const events = [vote(1, 0), attestation("storage-1", 0), certificate(0, [1, 2, 4]), vote(2, 0)];
    assert.deepEqual(kept(events), events);
  });

  test("of one manager does not fill the room of another", () => {
    const many = Array.from({ length: 3 * nextOfManagerMax }, (_, round) => vote(1, round));
    const other = vote(2, 0);
    assert.deepEqual(kept([...many, other]), [...many.slice(0, nextOfManagerMax), other]);
  });

  test("counts a manager's proposals with its votes", () => {
    const many = Array.from({ length: nextOfManagerMax }, (_, round) => vote(2, round));
    const proposal = { kind: "proposal", proposal: bench.proposal(0, "A0") } as const;
    assert.equal(proposal.proposal.managerId, "manager-2");
    assert.equal(kept([...many, proposal]).length, nextOfManagerMax);
    assert.equal(kept([proposal, ...many]).length, nextOfManagerMax);
  });

  test("is little of each storage node, and not too much of all", () => {
    const of = (node: string) => [0, 1, 2].map((round) => attestation(node, round));
    assert.equal(kept(of("storage-1")).length, nextOfStorageNodeMax);
    assert.equal(kept([...of("storage-1"), ...of("storage-2")]).length, 2 * nextOfStorageNodeMax);
    const many = Array.from({ length: nextAttestationsMax }, (_, i) => of(`storage-${i}`)).flat();
    assert.equal(kept(many).length, nextAttestationsMax);
  });

  test("is one lock certificate for each round and block, of few of them", () => {
    assert.equal(kept([certificate(0, [1, 2, 4]), certificate(0, [1, 2, 3])]).length, 1);
    const rounds = [0, 1, 2, 3, 4, 5].map((round) => certificate(round, [1, 2, 4]));
    assert.equal(kept(rounds).length, nextCertificatesMax);
    assert.deepEqual(kept([certificate(0, [1, 2])]), [], "by fewer than Q it is none");
  });

  test("is nothing that the driver says of it", () => {
    const facts = bench.facts("A0");
    const built = { kind: "built", height: 5, round: 0, facts } as const;
    assert.deepEqual(kept([{ kind: "wake" }, built]), []);
  });
});
