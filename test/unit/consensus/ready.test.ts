/** What a ring hands out, and which height an event is of. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import {
  emptyOutbox,
  heightOf,
  type Outbox,
  type RingEvent,
  readyOf,
  type Statement,
} from "../../../src/consensus/ring/events.js";
import { LockCertificateSchema } from "../../../src/gen/bss/v1/block_pb.js";
import { EvidenceSchema } from "../../../src/gen/bss/v1/genesis_pb.js";
import { VoteKind } from "../../../src/gen/bss/v1/vote_pb.js";
import { RingBench } from "./support/ring-bench.js";

const bench = new RingBench({ height: 9 });
const facts = bench.facts("A0");
const { blockId } = facts;

describe("what is to be done", () => {
  const statement: Statement = { kind: "accept", height: 9, blockId };
  const vote = bench.vote(VoteKind.ACCEPT, 0, "A0", 1);
  const cases: readonly (readonly [what: string, outbox: Partial<Outbox>])[] = [
    ["a message", { messages: [{ kind: "vote", vote }] }],
    ["a task", { tasks: [{ kind: "build", height: 9, round: 0, absent: [], unattested: false }] }],
    ["a timeout that is over", { expired: ["propose"] }],
    ["a decision", { decision: { height: 9, round: 0, blockId, facts, certificates: none() } }],
    ["a halt", { halt: { message: "forked" } }],
  ];
  test("is undefined when there is nothing", () => {
    assert.equal(readyOf(emptyOutbox(), [], []), undefined);
  });
  test("may be a statement alone", () => {
    const expected = { ...emptyOutbox(), statements: [statement], evidence: [] };
    assert.deepEqual(readyOf(emptyOutbox(), [statement], []), expected);
  });
  test("may be evidence alone", () => {
    const evidence = [create(EvidenceSchema, { managerId: "manager-2" })];
    const ready = readyOf(emptyOutbox(), [], evidence);
    assert.deepEqual(ready, { ...emptyOutbox(), statements: [], evidence });
  });
  for (const [what, outbox] of cases) {
    test(`may be ${what} alone`, () => {
      const ready = readyOf({ ...emptyOutbox(), ...outbox }, [], []);
      assert.deepEqual(ready, { ...emptyOutbox(), ...outbox, statements: [], evidence: [] });
    });
  }
});

describe("the height of an event", () => {
  const certificate = bench.lockCertificate(0, "A0", [1, 2, 3]);
  const [node = ""] = bench.committee("A0", 0);
  const judgement = { accurate: true, facts } as const;
  const events: readonly RingEvent[] = [
    { kind: "proposal", proposal: bench.proposal(0, "A0") },
    { kind: "vote", vote: bench.vote(VoteKind.APPROVE, 0, "A0", 1) },
    { kind: "attestation", attestation: bench.attestation(0, "A0", node) },
    { kind: "lock-certificate", certificate },
    { kind: "judged", height: 9, blockId, judgement },
    { kind: "built", height: 9, round: 0, facts },
  ];
  for (const event of events) {
    test(`is said by a ${event.kind}`, () => assert.equal(heightOf(event), 9));
  }
  test("is open for a wake, and for votes that were seen", () => {
    assert.equal(heightOf({ kind: "wake" }), undefined);
    assert.equal(heightOf({ kind: "seen", votes: [] }), undefined);
  });
  test("is none for a lock certificate without a polka", () => {
    const empty = create(LockCertificateSchema);
    assert.equal(heightOf({ kind: "lock-certificate", certificate: empty }), -1);
  });
});

function none() {
  return { $typeName: "bss.v1.BlockCertificates" } as const;
}
