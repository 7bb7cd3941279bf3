import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clone, create } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import {
  isLockBundle,
  partsOfLockCertificate,
} from "../../../../src/consensus/height/lock-certificate.js";
import {
  type LockCertificate,
  LockCertificateSchema,
  ManagerSignatureSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import { VoteKind } from "../../../../src/gen/bss/v1/vote_pb.js";
import { RingBench } from "../support/ring-bench.js";

const bench = new RingBench({ managers: 4, self: 2 });
const right = bench.lockCertificate(2, "A0", [1, 3, 4], 1);

function changed(change: (certificate: LockCertificate) => unknown): LockCertificate {
  const copy = clone(LockCertificateSchema, right);
  change(copy);
  return copy;
}

function polkaOf({ polka }: LockCertificate) {
  return defined(polka, "the certificate has a polka");
}

function approvalOf({ approval }: LockCertificate) {
  return defined(approval, "the certificate has an approval");
}

function integrityOf({ integrity }: LockCertificate) {
  return defined(integrity, "the certificate has attestations");
}

const otherBlock = bench.id("B0");

describe("a lock certificate is taken in only as a whole", () => {
  test("what an honest manager bundles is one", () => {
    assert.ok(isLockBundle(right, 4, 3));
    assert.ok(isLockBundle(bench.lockCertificate(0, "E0", [1, 2, 3]), 4, 3));
  });

  const broken: readonly (readonly [what: string, change: (c: LockCertificate) => void])[] = [
    ["no polka", (c) => delete c.polka],
    ["no approval", (c) => delete c.approval],
    ["a polka of another height", (c) => Object.assign(polkaOf(c), { height: 3n })],
    ["an approval of another height", (c) => Object.assign(approvalOf(c), { height: 5n })],
    ["attestations of another height", (c) => Object.assign(integrityOf(c), { height: 5n })],
    ["an approval of another block", (c) => Object.assign(approvalOf(c), { blockId: otherBlock })],
    [
      "attestations of another block",
      (c) => Object.assign(integrityOf(c), { blockId: otherBlock }),
    ],
    ["attestations of a later round", (c) => Object.assign(integrityOf(c), { round: 3 })],
    ["fewer than Q approvals", (c) => polkaOf(c).approvals.pop()],
    ["one manager's APPROVE twice", (c) => repeat(polkaOf(c).approvals)],
    ["one manager's ACCEPT twice", (c) => repeat(approvalOf(c).signatures)],
    ["one node's MATCH twice", (c) => repeat(integrityOf(c).signatures)],
    [
      "a polka for nil",
      (c) => {
        for (const part of [polkaOf(c), approvalOf(c), integrityOf(c)]) {
          part.blockId = new Uint8Array();
        }
      },
    ],
  ];
  for (const [what, change] of broken) {
    test(`with ${what} it is none, and moves nothing`, () => {
      const certificate = changed(change);
      assert.ok(!isLockBundle(certificate, 4, 3));
      const ring = new RingBench({ managers: 4, self: 2 });
      ring.step({ kind: "lock-certificate", certificate });
      assert.equal(ring.status(), "at height 4 round 0 step idle");
      ring.step({ kind: "wake" });
      ring.step({ kind: "proposal", proposal: ring.proposal(2, "A0", certificate) });
      ring.step(judgement(ring));
      assert.equal(ring.status(), "at height 4 round 0 step propose", "no round was skipped");
    });
  }

  test("an ACCEPT that was signed for another height stops nobody", () => {
    const ring = new RingBench({ managers: 4, self: 2 });
    const approval = { ...approvalOf(right), height: 5n };
    approval.signatures = [create(ManagerSignatureSchema, approvalOf(right).signatures[3])];
    const certificate = { ...right, approval };
    ring.step({ kind: "proposal", proposal: ring.proposal(0, "A0") });
    ring.step({ kind: "lock-certificate", certificate });
    ring.step(judgement(ring));
    for (const manager of [1, 3, 4]) {
      ring.step({ kind: "vote", vote: ring.vote(VoteKind.ACCEPT, 0, "A0", manager) });
      ring.step({ kind: "vote", vote: ring.vote(VoteKind.APPROVE, 0, "A0", manager) });
    }
    const lines = ring
      .committee("A0", 0)
      .flatMap((node) =>
        ring.step({ kind: "attestation", attestation: ring.attestation(0, "A0", node) }),
      );
    assert.deepEqual(lines, ["says COMMIT r0 A0, locked"]);
  });
});

test("a lock certificate's parts are the messages that were signed", () => {
  const { votes, attestations } = partsOfLockCertificate(right);
  assert.deepEqual(
    votes.map(({ kind, round, validRound, managerId }) => [kind, round, validRound, managerId]),
    [
      [VoteKind.APPROVE, 2, -1, "manager-1"],
      [VoteKind.APPROVE, 2, -1, "manager-3"],
      [VoteKind.APPROVE, 2, -1, "manager-4"],
      [VoteKind.ACCEPT, 0, -1, "manager-1"],
      [VoteKind.ACCEPT, 0, -1, "manager-2"],
      [VoteKind.ACCEPT, 0, -1, "manager-3"],
      [VoteKind.ACCEPT, 0, -1, "manager-4"],
    ],
  );
  const committee = [...bench.committee("A0", 1)].sort();
  const expected = committee.map((node) => bench.attestation(1, "A0", node));
  assert.deepEqual(attestations, expected);
});

function judgement(ring: RingBench) {
  const facts = ring.facts("A0");
  const judged = { accurate: true, facts } as const;
  return { kind: "judged", height: 4, blockId: facts.blockId, judgement: judged } as const;
}

function repeat<T>(list: T[]): void {
  list.push(defined(list[0], "the list holds something"));
}
