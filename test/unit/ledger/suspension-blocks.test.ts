import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import { ControlOperationSchema } from "../../../src/gen/bss/v1/genesis_pb.js";
import { brokenLockEvidence, votesEvidence } from "../../../src/ledger/certificates/evidence.js";
import { decodeHead, encodeHead } from "../../../src/ledger/state/head.js";
import { Chain } from "./support/chain.js";
import { floorPolicy, managerIds, policy as strictPolicy } from "./support/consortium.js";
import { forge } from "./support/forge.js";
import { accepted, refusal } from "./support/outcome.js";
import { documentBytes, submitted } from "./support/records.js";
import { accuse, approveOf, commitOf, resume, suspend } from "./support/statements.js";

const [m1, m2, m3, m4] = managerIds;
const offence = accuse(
  votesEvidence(approveOf({ managerId: m3, block: "A" }), approveOf({ managerId: m3, block: "B" })),
);

describe("a block with a suspension", () => {
  const chain = new Chain(floorPolicy);
  const { executed } = chain.propose({ control: [suspend(m2)] });

  test("needs the ACCEPT of all but the suspended, and says whose absence it claims", () => {
    assert.deepEqual(executed.facts.requiredAccepts, [m1, m3, m4]);
    assert.deepEqual(executed.facts.absences, [m2]);
  });

  test("is followed by blocks in which the suspended one has no turn", () => {
    const { members, electorate } = executed.head;
    assert.deepEqual(members.activeManagerIds, [m1, m3, m4]);
    assert.deepEqual(electorate.activeManagerIds, managerIds);
    const proposers = [0, 1, 2].map((round) => members.proposer(2, round));
    assert.deepEqual(proposers.sort(), [m1, m3, m4]);
  });

  test("is remembered with the head", () => {
    assert.deepEqual(decodeHead(encodeHead(executed.head)), executed.head);
  });
});

test("a manager that returns accepts the block that resumes it", () => {
  const chain = new Chain(floorPolicy);
  chain.extend({ control: [suspend(m2)], candidates: [submitted([documentBytes()])] });
  chain.extend({ candidates: [submitted([documentBytes()])] });
  assert.deepEqual(chain.head.facts?.requiredAccepts, [m1, m3, m4]);
  chain.extend({ control: [resume(m2, 1, 2)] });
  assert.deepEqual(chain.head.facts?.requiredAccepts, [...managerIds]);
  assert.deepEqual(chain.head.facts?.absences, []);
  assert.deepEqual(chain.head.members.activeManagerIds, [...managerIds]);
});

test("one manager returns and another is suspended in one block", () => {
  const chain = new Chain(floorPolicy);
  chain.extend({ control: [suspend(m2)] });
  chain.extend({ control: [resume(m2, 1, 1), suspend(m4)] });
  assert.deepEqual(chain.head.facts?.requiredAccepts, [m1, m2, m3]);
  assert.deepEqual(chain.head.facts?.absences, [m4]);
});

test("an offender's ACCEPT is not needed by the block that names it", () => {
  const chain = new Chain(floorPolicy);
  chain.extend({ control: [offence] });
  assert.deepEqual(chain.head.facts?.requiredAccepts, [m1, m2, m4]);
  assert.deepEqual(chain.head.facts?.absences, []);
  assert.equal(chain.head.members.manager(m3)?.reason, "equivocated");
});

test("evidence may be about the height of its own block", () => {
  const chain = new Chain(floorPolicy);
  const lock = brokenLockEvidence(
    commitOf({ managerId: m3, block: "A" }),
    approveOf({ managerId: m3, round: 1, block: "B" }),
  );
  chain.extend({ control: [accuse(lock)] });
  assert.equal(chain.head.members.manager(m3)?.offenceHeight, 1);
});

test("what does not fit is left out of a block, the rest goes in", () => {
  const chain = new Chain(floorPolicy);
  const operations = [suspend(m2), suspend(m3), resume(m4, 1, 1), offence];
  const built = chain.propose({ control: operations });
  const refused = built.refusedOperations.map(({ operation }) => operation);
  assert.deepEqual(refused, [operations[1], operations[2]]);
  assert.deepEqual(built.executed.facts.absences, [m2]);
  assert.ok(chain.judge(built.block).ok);
});

describe("a block is wrong", () => {
  const chain = new Chain(floorPolicy);
  chain.extend({ control: [suspend(m2)] });
  const right = chain.propose({ control: [resume(m2, 1, 1), offence] }).block;
  const forged = {
    "with a return that another one signed": [resume(m2, 1, 1, m1), offence],
    "with evidence of which a signature does not verify": [
      resume(m2, 1, 1),
      accuse(
        votesEvidence(approveOf({ managerId: m3, block: "A" }), {
          ...approveOf({ managerId: m1, block: "B" }),
          managerId: m3,
        }),
      ),
    ],
  };

  test("unless both hold", () => assert.ok(chain.judge(right).ok));

  for (const [name, control] of Object.entries(forged)) {
    test(name, () => {
      const block = forge(right, (parts) => {
        parts.control = control.map((each) => toBinary(ControlOperationSchema, each));
      });
      assert.equal(refusal(chain.judge(block)).reason, "SIGNATURE_INVALID");
    });
  }

  test("that leaves fewer than a quorum active", () => {
    const block = forge(right, (parts) => {
      parts.control = [toBinary(ControlOperationSchema, suspend(m3))];
    });
    const found = refusal(chain.judge(block));
    assert.deepEqual(
      [found.reason, found.field],
      ["OPERATION_INVALID", "control[0].suspend_manager.manager_id"],
    );
  });

  test("that names the members without an offender's suspension", () => {
    const members = chain.propose({ control: [resume(m2, 1, 1)] }).executed.head.members;
    const block = forge(right, (parts) => {
      parts.header.membersDigest = members.digest();
    });
    assert.equal(refusal(chain.judge(block)).reason, "BLOCK_DIGEST_MISMATCH");
  });
});

test("a certificate without the ACCEPT of the one who returned makes the next block wrong", () => {
  const chain = new Chain(floorPolicy);
  chain.extend({ control: [suspend(m2)] });
  const before = chain.head.facts?.requiredAccepts;
  const { executed } = chain.propose({ control: [resume(m2, 1, 1)] });
  chain.append({
    ...executed,
    facts: { ...executed.facts, requiredAccepts: before ?? [] },
  });
  assert.equal(refusal(chain.judge(chain.propose().block)).reason, "CERTIFICATE_INVALID");
});

test("where the policy suspends nobody, evidence is recorded and everybody accepts", () => {
  const chain = new Chain(strictPolicy);
  const built = chain.propose({ control: [suspend(m2), offence] });
  assert.equal(built.refusedOperations.length, 1);
  const { executed } = accepted(chain.judge(built.block));
  assert.deepEqual(executed.facts.requiredAccepts, [...managerIds]);
  assert.equal(executed.head.members.manager(m3)?.offenceHeight, 1);
});
