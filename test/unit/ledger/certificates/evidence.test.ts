import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clone } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { compareBytes } from "../../../../src/base/bytes.js";
import {
  type Evidence,
  EvidenceSchema,
  type SignedProposal,
  type SignedVote,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  breaksLock,
  brokenLockEvidence,
  checkEvidence,
  evidenceHeight,
  proposalsEvidence,
  votesEvidence,
} from "../../../../src/ledger/certificates/evidence.js";
import { verifies } from "../support/chain.js";
import { consortiumId, genesis } from "../support/consortium.js";
import { accepted, refusal } from "../support/outcome.js";
import { seedOf } from "../support/records.js";
import { approveOf, commitOf, proposalOf } from "../support/statements.js";

const { members } = genesis;
const check = (evidence: Evidence, height = 9) =>
  checkEvidence(evidence, members, consortiumId, height);

const right: Readonly<Record<string, Evidence>> = {
  "two proposals of one round": proposalsEvidence(
    proposalOf({ height: 5, round: 2, block: "A" }),
    proposalOf({ height: 5, round: 2, block: "B" }),
  ),
  "two proposals of one block with different valid rounds": proposalsEvidence(
    proposalOf({ round: 2, block: "A" }),
    proposalOf({ round: 2, validRound: 1, block: "A" }),
  ),
  "two approvals of one round": votesEvidence(
    approveOf({ round: 1, block: "A" }),
    approveOf({ round: 1, block: "B", validRound: 0 }),
  ),
  "an approval of a block and of nil": votesEvidence(approveOf({ block: "A" }), approveOf({})),
  "two commitments of one round": votesEvidence(commitOf({ block: "A" }), commitOf({ block: "B" })),
  "a commitment to a block and to nil": votesEvidence(commitOf({ block: "A" }), commitOf({})),
  "a broken lock": brokenLockEvidence(
    commitOf({ round: 1, block: "A" }),
    approveOf({ round: 3, block: "B", validRound: 0 }),
  ),
  "a lock broken by a fresh block": brokenLockEvidence(
    commitOf({ block: "A" }),
    approveOf({ round: 1, block: "B" }),
  ),
};

type Statements = { first: SignedProposal | SignedVote; second: SignedProposal | SignedVote };

/** The evidence with its statements changed in place. */
function changed(evidence: Evidence, edit: (statements: Statements) => void): Evidence {
  const copy = clone(EvidenceSchema, evidence);
  edit(copy.offence.value as Statements);
  return copy;
}

function swap(statements: Statements): void {
  const { first, second } = statements;
  statements.first = second;
  statements.second = first;
}

describe("evidence", () => {
  for (const [name, evidence] of Object.entries(right)) {
    test(`of ${name} rests on the two signatures of its manager`, () => {
      const checks = accepted(check(evidence));
      assert.equal(checks.length, 2);
      assert.ok(checks.every(verifies));
      assert.equal(evidence.managerId, "manager-1");
    });

    test(`of ${name} has one order`, () => {
      assert.equal(refusal(check(changed(evidence, swap))).reason, "OPERATION_INVALID");
    });

    test(`of ${name} does not hold against another manager`, () => {
      const other = changed(evidence, () => undefined);
      other.managerId = "manager-2";
      assert.ok(!accepted(check(other)).some(verifies));
    });

    test(`of ${name} does not hold for another block than was signed`, () => {
      const other = changed(evidence, ({ first, second }) => {
        const each = first.blockId.length > 0 ? first : second;
        each.blockId = seedOf("block C");
      });
      assert.ok(!accepted(check(other)).every(verifies));
    });

    test(`of ${name} in another consortium does not hold`, () => {
      const checks = accepted(checkEvidence(evidence, members, seedOf("another"), 9));
      assert.ok(!checks.some(verifies));
    });
  }

  test("comes out the same, whichever statement was seen first", () => {
    const [a, b] = [approveOf({ block: "A" }), approveOf({ block: "B" })];
    assert.deepEqual(votesEvidence(a, b), votesEvidence(b, a));
    const [p, q] = [proposalOf({ block: "A" }), proposalOf({ block: "B" })];
    assert.deepEqual(proposalsEvidence(p, q), proposalsEvidence(q, p));
    const { first, second } = votesEvidence(a, b).offence.value as Statements;
    assert.ok(compareBytes(first.signature, second.signature) < 0);
  });

  test("is about the height of its statements", () => {
    const evidence = defined(right["two proposals of one round"], "it is there");
    assert.equal(evidenceHeight(evidence), 5);
    assert.ok(check(evidence, 5).ok);
    assert.deepEqual(refusal(check(evidence, 4)).field, "evidence");
    assert.equal(evidenceHeight(clone(EvidenceSchema, { ...evidence, offence: none })), 0);
  });

  test("against nobody known is refused", () => {
    const evidence = votesEvidence(
      approveOf({ managerId: "manager-9", block: "A" }),
      approveOf({ managerId: "manager-9" }),
    );
    const { reason, field } = refusal(check(evidence));
    assert.deepEqual([reason, field], ["OPERATION_INVALID", "evidence.manager_id"]);
  });

  const none = { case: undefined } as const;
  const votes = defined(right["two approvals of one round"], "it is there");
  const lock = defined(right["a broken lock"], "it is there");
  const proposals = defined(right["two proposals of one round"], "it is there");
  const unknown = [{ no: 99, wireType: 0, data: Uint8Array.of(1) }];
  const wrong: readonly [string, Evidence, string][] = [
    ["nothing", { ...votes, offence: none }, "offence"],
    ["no id", { ...votes, managerId: "A b" }, "manager_id"],
    ["unknown fields", { ...votes, $unknown: unknown }, ""],
    [
      "unknown fields in a statement",
      changed(votes, ({ first }) => {
        first.$unknown = unknown;
      }),
      "votes.first",
    ],
    [
      "unknown fields around the statements",
      changed(votes, (statements) => {
        Object.assign(statements, { $unknown: unknown });
      }),
      "votes",
    ],
    [
      "one statement",
      changed(votes, (statements) => {
        Object.assign(statements, { second: undefined });
      }),
      "votes",
    ],
    ["the same statement twice", votesEvidence(approveOf({}), approveOf({})), "votes"],
    [
      "an approval and a commitment of one round",
      votesEvidence(approveOf({ block: "A" }), commitOf({ block: "B" })),
      "votes",
    ],
    [
      "votes of two rounds",
      votesEvidence(approveOf({ block: "A" }), approveOf({ round: 1, block: "B" })),
      "votes",
    ],
    [
      "votes of two heights",
      votesEvidence(approveOf({ block: "A" }), approveOf({ height: 2, block: "B" })),
      "votes",
    ],
    [
      "a height of nothing",
      changed(votes, ({ first }) => {
        first.height = 0n;
      }),
      "votes.first.height",
    ],
    [
      "a short signature",
      changed(votes, ({ second }) => {
        second.signature = new Uint8Array(63);
      }),
      "votes.second.signature",
    ],
    [
      "a short block id",
      changed(votes, ({ second }) => {
        second.blockId = new Uint8Array(31);
      }),
      "votes.second.block_id",
    ],
    [
      "a valid round that does not come before the round",
      changed(votes, ({ first }) => {
        first.validRound = 1;
      }),
      "votes.first.valid_round",
    ],
    [
      "a valid round of nil",
      votesEvidence(approveOf({ round: 1, validRound: 0 }), approveOf({ round: 1, block: "A" })),
      "valid_round",
    ],
    [
      "a proposal of nothing",
      changed(proposals, ({ first }) => {
        first.blockId = new Uint8Array();
      }),
      "proposals.first.block_id",
    ],
    [
      "a commitment with a valid round",
      changed(lock, ({ first }) => {
        first.validRound = 0;
      }),
      "broken_lock.first.valid_round",
    ],
    [
      "a lock broken by a commitment",
      brokenLockEvidence(commitOf({ block: "A" }), commitOf({ round: 1, block: "B" })),
      "broken_lock",
    ],
    [
      "a lock that was kept",
      brokenLockEvidence(commitOf({ block: "A" }), approveOf({ round: 1, block: "A" })),
      "broken_lock",
    ],
  ];
  for (const [name, evidence, field] of wrong) {
    test(`with ${name} is refused`, () => {
      const found = refusal(check(evidence));
      assert.equal(found.reason, "OPERATION_INVALID");
      assert.ok(found.field?.endsWith(field) && found.field.startsWith("evidence"), found.field);
    });
  }
});

describe("a lock", () => {
  const commit = { round: 1, validRound: -1, blockId: seedOf("A") };
  const approval = { round: 2, validRound: 0, blockId: seedOf("B") };
  const cases: readonly [string, Partial<typeof commit>, Partial<typeof approval>, boolean][] = [
    ["by another block in a later round with an earlier valid round", {}, {}, true],
    ["by the same block", {}, { blockId: commit.blockId }, false],
    ["by nil", {}, { blockId: new Uint8Array() }, false],
    ["after nil", { blockId: new Uint8Array() }, {}, false],
    ["in the round of the commitment", {}, { round: 1 }, false],
    ["in an earlier round", {}, { round: 0, validRound: -1 }, false],
    ["with the valid round of the commitment", {}, { validRound: 1 }, false],
  ];
  for (const [name, c, a, broken] of cases) {
    test(`is ${broken ? "" : "not "}broken ${name}`, () => {
      assert.equal(breaksLock({ ...commit, ...c }, { ...approval, ...a }), broken);
    });
  }
});
