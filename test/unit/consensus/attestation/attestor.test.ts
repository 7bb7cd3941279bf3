import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clone, create, fromBinary } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import { toHex, utf8 } from "../../../../src/base/bytes.js";
import {
  checkFinal,
  checkFork,
  judgeCandidate,
  type ParsedCandidate,
  type StorageAppend,
} from "../../../../src/consensus/attestation/attestor.js";
import { sha256 } from "../../../../src/crypto/hash.js";
import {
  ApprovalCertificateSchema,
  type BlockCertificates,
  BlockCertificatesSchema,
  type IntegrityCertificate,
  StorageBlockHeaderSchema,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  type ControlOperation,
  ControlOperationSchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { AttestationVerdict } from "../../../../src/gen/bss/v1/vote_pb.js";
import { drawCommittee } from "../../../../src/ledger/certificates/committee.js";
import { votesEvidence } from "../../../../src/ledger/certificates/evidence.js";
import { rootOf } from "../../../../src/ledger/merkle/frontier.js";
import { type MadeBlock, StorageLedger } from "../../../support/storage-ledger.js";
import { Chain, verifies } from "../../ledger/support/chain.js";
import {
  consortiumId,
  floorPolicy,
  genesis,
  policy,
  storageIds,
} from "../../ledger/support/consortium.js";
import { admissionOf } from "../../ledger/support/invitations.js";
import { accepted } from "../../ledger/support/outcome.js";
import { sign } from "../../ledger/support/records.js";
import { accuse, approveOf, resume, suspend } from "../../ledger/support/statements.js";

function ledgerOf(heights: number): StorageLedger {
  const ledger = new StorageLedger(genesis, sign);
  for (let i = 0; i < heights; i++) ledger.extend();
  return ledger;
}

function contextOf(ledger: StorageLedger) {
  return { consortiumId, policy, head: ledger.head };
}

function candidateOf(made: MadeBlock, round = 0): ParsedCandidate {
  const { parsed: block, sealedRecords, approval } = made;
  return { round, block, sealedRecords, approval };
}

/** A member and a node outside of the committee. */
function insideAndOutside(made: MadeBlock): { member: string; outsider: string } {
  return {
    member: defined(made.committee[0], "a committee has members"),
    outsider: defined(
      storageIds.find((id) => !made.committee.includes(id)),
      "the committee leaves somebody out",
    ),
  };
}

describe("a candidate", () => {
  test("that fits is attested with MATCH, provided that AC's signatures verify", () => {
    const ledger = ledgerOf(3);
    const made = ledger.make();
    const { member } = insideAndOutside(made);
    const judged = judgeCandidate(candidateOf(made), contextOf(ledger), member);
    assert.equal(judged.kind, "attest");
    assert.equal(judged.claim.verdict, AttestationVerdict.MATCH);
    assert.deepEqual(judged.claim.hash2, made.parsed.header.hash1);
    assert.equal(judged.claim.treeSize, 8);
    // AC of 4, and IC of the block before.
    assert.equal(judged.signatures.length, 4 + 3);
    assert.ok(judged.signatures.every(verifies));
    assert.equal(judged.auditPositions.length, policy.auditRecords);
    assert.ok(judged.auditPositions.every((position) => position < 6));
  });

  test("whose HASH1 is another root is attested with MISMATCH and this node's own root", () => {
    const ledger = ledgerOf(1);
    const right = ledger.make({ records: [utf8("sealed")] });
    const made = ledger.make({
      records: [utf8("sealed")],
      header: { hash1: sha256(utf8("another root")) },
    });
    const { member } = insideAndOutside(made);
    const judged = judgeCandidate(candidateOf(made), contextOf(ledger), member);
    assert.equal(judged.kind, "attest");
    assert.equal(judged.claim.verdict, AttestationVerdict.MISMATCH);
    assert.deepEqual(judged.claim.hash2, right.parsed.header.hash1);
  });

  test("whose tree size is another one is attested with MISMATCH", () => {
    const ledger = ledgerOf(1);
    const made = ledger.make({ header: { treeSize: 99n } });
    const { member } = insideAndOutside(made);
    const judged = judgeCandidate(candidateOf(made), contextOf(ledger), member);
    assert.equal(judged.kind, "attest");
    assert.equal(judged.claim.verdict, AttestationVerdict.MISMATCH);
    assert.equal(judged.claim.treeSize, 4);
  });

  test("is nothing to a node outside of the committee, whatever else is wrong", () => {
    const ledger = ledgerOf(2);
    const made = ledger.make({ header: { previousBlockId: sha256(utf8("another")) } });
    const { outsider } = insideAndOutside(made);
    const candidate = { ...candidateOf(made), sealedRecords: [] };
    assert.deepEqual(judgeCandidate(candidate, contextOf(ledger), outsider), {
      kind: "not-in-committee",
    });
  });

  test("of each round is for that round's committee", () => {
    const ledger = ledgerOf(1);
    const seen = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const made = ledger.make({ createdRound: round });
      const { eligible, beacon } = made.facts;
      const committee = drawCommittee({ eligible, beacon, round });
      seen.add(committee.toSorted().join());
      for (const nodeId of storageIds) {
        const judged = judgeCandidate(candidateOf(made, round), contextOf(ledger), nodeId);
        assert.equal(judged.kind, committee.includes(nodeId) ? "attest" : "not-in-committee");
      }
    }
    assert.ok(seen.size > 1);
  });

  test("of a decided height is stale, and one above the next height has to wait", () => {
    const ledger = ledgerOf(3);
    const context = contextOf(ledger);
    const decided = ledger.at(3);
    assert.deepEqual(judgeCandidate(candidateOf(decided), context, "storage-1"), { kind: "stale" });
    ledger.extend();
    const ahead = ledger.make();
    assert.deepEqual(judgeCandidate(candidateOf(ahead), context, "storage-1"), { kind: "behind" });
  });

  const refusals: readonly {
    readonly what: string;
    readonly reason: string;
    readonly of: (ledger: StorageLedger) => MadeBlock;
    readonly change?: (candidate: ParsedCandidate) => ParsedCandidate;
  }[] = [
    {
      what: "of a round before the block was made",
      reason: "BLOCK_MALFORMED",
      of: (ledger) => ledger.make({ createdRound: 2 }),
    },
    {
      what: "of a round after the one in which the block was made",
      reason: "BLOCK_MALFORMED",
      of: (ledger) => ledger.make({ createdRound: 2 }),
      change: (candidate) => ({ ...candidate, round: 3 }),
    },
    {
      what: "without leaves",
      reason: "BLOCK_MALFORMED",
      of: (ledger) => ledger.make({ records: 0 }),
    },
    {
      what: "of another consortium",
      reason: "CONSORTIUM_MISMATCH",
      of: (ledger) => ledger.make({ header: { consortiumId: sha256(utf8("others")) } }),
    },
    {
      what: "that extends another block",
      reason: "BLOCK_WRONG_PARENT",
      of: (ledger) => ledger.make({ header: { previousBlockId: sha256(utf8("another")) } }),
    },
    {
      what: "from before its parent",
      reason: "BLOCK_TIME_INVALID",
      of: (ledger) => ledger.make({ header: { timestampUnixMs: 1n } }),
    },
    {
      what: "that counts the sealed bytes wrong",
      reason: "BLOCK_DIGEST_MISMATCH",
      of: (ledger) => ledger.make({ header: { sealedBytes: 1n } }),
    },
    {
      what: "with other members after it",
      reason: "BLOCK_DIGEST_MISMATCH",
      of: (ledger) => ledger.make({ header: { membersDigest: sha256(utf8("members")) } }),
    },
    {
      what: "with an operation that does not fit the members",
      reason: "MEMBER_ID_TAKEN",
      of: (ledger) => ledger.make({ control: [admissionOf("storage-1")] }),
    },
    {
      what: "with an admission to which nobody agreed",
      reason: "OPERATION_INVALID",
      of: (ledger) => ledger.make({ control: [withoutConsent(admissionOf("storage-9"))] }),
    },
    {
      what: "with an approval of one manager too few",
      reason: "CERTIFICATE_INVALID",
      of: (ledger) => ledger.make(),
      change: (candidate) => ({ ...candidate, approval: withoutLast(candidate.approval) }),
    },
    {
      what: "with the approval of another block",
      reason: "CERTIFICATE_INVALID",
      of: (ledger) => ledger.make(),
      change: (candidate) => ({
        ...candidate,
        approval: create(ApprovalCertificateSchema, {
          ...candidate.approval,
          blockId: sha256(utf8("another")),
        }),
      }),
    },
    {
      what: "with a sealed record too few",
      reason: "BLOCK_SEAL_MISMATCH",
      of: (ledger) => ledger.make(),
      change: (candidate) => ({
        ...candidate,
        sealedRecords: candidate.sealedRecords.slice(1),
      }),
    },
    {
      what: "with a changed sealed record",
      reason: "BLOCK_SEAL_MISMATCH",
      of: (ledger) => ledger.make(),
      change: (candidate) => ({
        ...candidate,
        sealedRecords: [utf8("changed"), ...candidate.sealedRecords.slice(1)],
      }),
    },
    {
      what: "with its sealed records in another order",
      reason: "BLOCK_SEAL_MISMATCH",
      of: (ledger) => ledger.make(),
      change: (candidate) => ({
        ...candidate,
        sealedRecords: candidate.sealedRecords.toReversed(),
      }),
    },
  ];
  for (const { what, reason, of, change = (same: ParsedCandidate) => same } of refusals) {
    test(`${what} is not attested at all: ${reason}`, () => {
      const ledger = ledgerOf(1);
      const made = of(ledger);
      const candidate = change(candidateOf(made));
      const member = made.committee[0] ?? "storage-1";
      const judged = judgeCandidate(candidate, contextOf(ledger), member);
      assert.equal(judged.kind, "refuse");
      assert.equal(judged.violation.reason, reason);
    });
  }
});

describe("a final block", () => {
  test("is appended as a storage block linked to its chain and to the managers' block", () => {
    const ledger = ledgerOf(2);
    const made = ledger.make({ control: [admissionOf("storage-9")] });
    const { parsed: block, sealedRecords, certificates } = made;
    const checked = accepted(checkFinal({ block, sealedRecords, certificates }, contextOf(ledger)));
    assert.ok("append" in checked);
    // AC of 4, IC of a committee of 3, CC of 3; IC of the block before, and consent of operator,
    // bearer and new node.
    assert.equal(checked.signatures.length, 10);
    assert.equal(checked.operations.length, 3 + 3);
    assert.ok([...checked.signatures, ...checked.operations].every(verifies));
    const { head, storageHeader } = checked.append;
    assert.equal(head.height, 3);
    assert.equal(toHex(head.managerBlockId), toHex(block.blockId));
    assert.notEqual(head.members.storageNode("storage-9"), undefined);
    assert.deepEqual(rootOf(head.frontier), block.header.hash1);
    const header = fromBinary(StorageBlockHeaderSchema, storageHeader.headerBytes);
    assert.deepEqual(header.previousStorageBlockId, ledger.head.storageBlockId);
    assert.deepEqual(header.managerBlockId, block.blockId);
    assert.deepEqual(header.hash2, block.header.hash1);
    assert.equal(header.treeSize, 6n);
  });

  test("comes out the same if what its candidate's check found is not computed again", () => {
    const ledger = ledgerOf(2);
    const context = contextOf(ledger);
    const made = ledger.make({ control: [admissionOf("storage-9")] });
    const { parsed: block, sealedRecords, certificates } = made;
    const candidate = judgeCandidate(candidateOf(made), context, made.committee[0] ?? "");
    assert.equal(candidate.kind, "attest");
    const { judged } = candidate;
    assert.ok(judged);
    const parts = { block, sealedRecords, certificates };
    const known = accepted(checkFinal({ ...parts, judged }, context));
    const anew = accepted(checkFinal(parts, context));
    assert.ok("append" in known && "append" in anew);
    assert.deepEqual(known.append.head.members.encode(), anew.append.head.members.encode());
    const plain = ({ head: { members: _, ...head }, ...append }: StorageAppend) => {
      return { ...append, head };
    };
    assert.deepEqual(plain(known.append), plain(anew.append));
    assert.deepEqual(known.operations, anew.operations);
    assert.deepEqual(known.signatures, anew.signatures);
  });

  test("is checked anew if the head is another one than that of its candidate", () => {
    const ledger = ledgerOf(1);
    const made = ledger.make();
    const { parsed: block, sealedRecords, certificates } = made;
    const before = contextOf(ledger);
    const candidate = judgeCandidate(candidateOf(made), before, made.committee[0] ?? "");
    assert.ok(candidate.kind === "attest");
    const { judged } = candidate;
    ledger.extend();
    const checked = checkFinal({ block, sealedRecords, certificates, judged }, contextOf(ledger));
    assert.ok(!checked.ok);
    assert.equal(checked.error.reason, "BLOCK_WRONG_HEIGHT");
  });

  test("without leaves needs no integrity certificate", () => {
    const ledger = ledgerOf(0);
    const { parsed: block, sealedRecords, certificates } = ledger.make({ records: 0 });
    assert.equal(certificates.integrity, undefined);
    const checked = accepted(checkFinal({ block, sealedRecords, certificates }, contextOf(ledger)));
    assert.ok("append" in checked);
  });

  for (const missing of ["approval", "integrity", "commit"] as const) {
    test(`is refused without its ${missing} certificate`, () => {
      const ledger = ledgerOf(1);
      const { parsed: block, sealedRecords, certificates } = ledger.make();
      const incomplete = clone(BlockCertificatesSchema, certificates);
      delete incomplete[missing];
      const checked = checkFinal(
        { block, sealedRecords, certificates: incomplete },
        contextOf(ledger),
      );
      assert.ok(!checked.ok);
      assert.equal(checked.error.reason, "CERTIFICATE_INVALID");
    });
  }

  test("is refused with records that are not its own", () => {
    const ledger = ledgerOf(1);
    const { parsed: block, certificates } = ledger.make();
    const sealedRecords = [utf8("one"), utf8("two")];
    const checked = checkFinal({ block, sealedRecords, certificates }, contextOf(ledger));
    assert.ok(!checked.ok);
    assert.equal(checked.error.reason, "BLOCK_SEAL_MISMATCH");
  });

  for (const [what, heights] of [
    ["of a decided height", 0],
    ["that leaves out a height", 2],
  ] as const) {
    test(`${what} is refused`, () => {
      const ledger = ledgerOf(1);
      const context = contextOf(ledger);
      for (let i = 0; i < heights; i++) ledger.extend();
      const { parsed: block, sealedRecords, certificates } = ledger.at(heights === 0 ? 1 : 3);
      const checked = checkFinal({ block, sealedRecords, certificates }, context);
      assert.ok(!checked.ok);
      assert.equal(checked.error.reason, "BLOCK_WRONG_HEIGHT");
    });
  }

  const contradictions = [
    ["another parent", "BLOCK_WRONG_PARENT", { previousBlockId: sha256(utf8("another")) }],
    ["another root", "BLOCK_ROOT_MISMATCH", { hash1: sha256(utf8("root")) }],
    ["another tree size", "BLOCK_ROOT_MISMATCH", { treeSize: 77n }],
    ["an earlier time", "BLOCK_TIME_INVALID", { timestampUnixMs: 1n }],
    ["other sealed bytes", "BLOCK_DIGEST_MISMATCH", { sealedBytes: 1n }],
    ["other members", "BLOCK_DIGEST_MISMATCH", { membersDigest: sha256(utf8("members")) }],
  ] as const;
  for (const [what, reason, header] of contradictions) {
    test(`with right certificates but ${what} contradicts this node's chain`, () => {
      const ledger = ledgerOf(1);
      const { parsed: block, sealedRecords, certificates } = ledger.make({ header });
      const checked = accepted(
        checkFinal({ block, sealedRecords, certificates }, contextOf(ledger)),
      );
      assert.ok("contradiction" in checked);
      assert.equal(checked.contradiction.reason, reason);
      assert.ok(checked.signatures.length > 0 && checked.signatures.every(verifies));
    });
  }
});

describe("a block that carries false certificates for the one before", () => {
  const forged: readonly [string, (integrity: IntegrityCertificate) => void][] = [
    ["that name somebody twice", ({ signatures }) => signatures.push(...signatures.slice(0, 1))],
    ["that name too few", ({ signatures }) => signatures.splice(1)],
    [
      "that name a stranger",
      ({ signatures }) => Object.assign(signatures.at(-1) ?? {}, { nodeId: "stranger" }),
    ],
  ];
  const madeWith = (change: (certificates: BlockCertificates) => void) => {
    const ledger = ledgerOf(1);
    const previous = clone(BlockCertificatesSchema, ledger.at(1).certificates);
    change(previous);
    const made = ledger.make({ previous });
    const { parsed: block, sealedRecords, certificates } = made;
    const { member } = insideAndOutside(made);
    return {
      candidate: judgeCandidate(candidateOf(made), contextOf(ledger), member),
      final: accepted(checkFinal({ block, sealedRecords, certificates }, contextOf(ledger))),
    };
  };
  const changes: readonly [string, (certificates: BlockCertificates) => void][] = [
    ["without an integrity certificate", (each) => delete each.integrity],
    ...forged.map(([what, change]): [string, (each: BlockCertificates) => void] => [
      what,
      ({ integrity }) => integrity && change(integrity),
    ]),
  ];
  for (const [what, change] of changes) {
    test(`${what} is not attested, and contradicts this node's chain`, () => {
      const { candidate, final } = madeWith(change);
      assert.equal(
        candidate.kind === "refuse" && candidate.violation.reason,
        "CERTIFICATE_INVALID",
      );
      assert.ok("contradiction" in final);
      assert.equal(final.contradiction.reason, "CERTIFICATE_INVALID");
      assert.ok(final.signatures.every(verifies));
    });
  }

  test("that one of those named has not signed, rests on a signature that does not verify", () => {
    const { candidate, final } = madeWith(({ integrity }) => {
      for (const each of integrity?.signatures.slice(0, 1) ?? [])
        each.signature = new Uint8Array(64);
    });
    assert.ok(candidate.kind === "attest" && "append" in final);
    assert.equal(candidate.signatures.filter((each) => !verifies(each)).length, 1);
    assert.equal(final.operations.filter((each) => !verifies(each)).length, 1);
  });
});

describe("a block that suspends and resumes managers", () => {
  const offence = accuse(votesEvidence(approveOf({ block: "A" }), approveOf({ block: "B" })));

  function suspendingLedger(): StorageLedger {
    const ledger = new StorageLedger({ ...genesis, policy: floorPolicy }, sign);
    ledger.extend({ control: [suspend("manager-2")] });
    return ledger;
  }

  function judged(ledger: StorageLedger, made: MadeBlock) {
    const { parsed: block, sealedRecords, certificates } = made;
    const context = { consortiumId, policy: floorPolicy, head: ledger.head };
    const { member } = insideAndOutside(made);
    return {
      candidate: judgeCandidate(candidateOf(made), context, member),
      final: checkFinal({ block, sealedRecords, certificates }, context),
    };
  }

  test("leads a storage node to the managers' members and required ACCEPTs", () => {
    const chain = new Chain(floorPolicy);
    chain.extend({ control: [suspend("manager-2")] });
    const ledger = suspendingLedger();
    assert.deepEqual(ledger.head.members.managers, chain.head.members.managers);
    assert.deepEqual(ledger.at(1).facts.requiredAccepts, chain.head.facts?.requiredAccepts);
    assert.deepEqual(ledger.at(1).facts.absences, ["manager-2"]);
    const control = [resume("manager-2", 1, 1), offence, suspend("manager-4")];
    chain.extend({ control });
    ledger.extend({ control });
    assert.deepEqual(ledger.head.members.managers, chain.head.members.managers);
    assert.deepEqual(ledger.at(2).facts.requiredAccepts, ["manager-1", "manager-2", "manager-3"]);
    assert.deepEqual(ledger.at(2).facts.requiredAccepts, chain.head.facts?.requiredAccepts);
    assert.equal(chain.head.members.manager("manager-1")?.offenceHeight, 2);
  });

  test("is attested and appended if the operations' signatures verify too", () => {
    const ledger = suspendingLedger();
    const { candidate, final } = judged(
      ledger,
      ledger.make({ control: [resume("manager-2", 1, 1), offence] }),
    );
    assert.ok(candidate.kind === "attest");
    // ACCEPTs of 3, as the offender is suspended; IC of 3; one return and two statements.
    assert.equal(candidate.signatures.length, 3 + 3 + 1 + 2);
    assert.ok(candidate.signatures.every(verifies));
    assert.ok(final.ok && "append" in final.value);
    assert.equal(final.value.operations.length, 3 + 1 + 2);
    assert.ok(final.value.operations.every(verifies));
  });

  test("with an operation that nobody signed is not attested", () => {
    const ledger = suspendingLedger();
    const control = [resume("manager-2", 1, 1, "manager-1")];
    const { candidate, final } = judged(ledger, ledger.make({ control }));
    assert.ok(candidate.kind === "attest" && final.ok && "append" in final.value);
    assert.equal(candidate.signatures.filter((each) => !verifies(each)).length, 1);
    assert.ok(final.value.signatures.every(verifies));
    assert.equal(final.value.operations.filter((each) => !verifies(each)).length, 1);
  });

  test("that leaves fewer than a quorum active is refused, and contradicts this node's chain", () => {
    const ledger = suspendingLedger();
    const { candidate, final } = judged(ledger, ledger.make({ control: [suspend("manager-3")] }));
    assert.ok(candidate.kind === "refuse");
    assert.equal(candidate.violation.reason, "OPERATION_INVALID");
    assert.ok(final.ok && "contradiction" in final.value);
    assert.equal(final.value.contradiction.reason, "OPERATION_INVALID");
    assert.equal(final.value.signatures.length, 3);
    assert.ok(final.value.signatures.every(verifies));
  });

  test("is neither attested nor appended without the ACCEPT of who returns", () => {
    const ledger = suspendingLedger();
    const made = ledger.make({ control: [resume("manager-2", 1, 1)] });
    for (const approval of [made.approval, made.certificates.approval]) {
      const index = approval?.signatures.findIndex((each) => each.managerId === "manager-2") ?? -1;
      if (index >= 0) approval?.signatures.splice(index, 1);
    }
    const { candidate, final } = judged(ledger, made);
    assert.ok(candidate.kind === "refuse" && !final.ok);
    assert.equal(candidate.violation.reason, "CERTIFICATE_INVALID");
    assert.equal(final.error.reason, "CERTIFICATE_INVALID");
  });
});

describe("a fork", () => {
  test("is proved by the signatures of a quorum under another block of a decided height", () => {
    const ledger = ledgerOf(1);
    const one = ledger.make();
    const other = ledger.make();
    ledger.append(one);
    const checks = accepted(checkFork(other.certificates, contextOf(ledger)));
    assert.equal(checks.length, 3);
    assert.ok(checks.every(verifies));
  });

  test("is not proved by fewer than a quorum, nor without a commit certificate", () => {
    const ledger = ledgerOf(1);
    const { certificates } = ledger.make();
    const few = clone(BlockCertificatesSchema, certificates);
    few.commit?.signatures.pop();
    assert.ok(!checkFork(few, contextOf(ledger)).ok);
    delete few.commit;
    assert.ok(!checkFork(few, contextOf(ledger)).ok);
  });
});

function withoutConsent(admission: ControlOperation): ControlOperation {
  const bare = clone(ControlOperationSchema, admission);
  if (bare.operation.case === "admitStorageNode") delete bare.operation.value.consent;
  return bare;
}

function withoutLast(approval: ParsedCandidate["approval"]) {
  const { height, blockId, signatures } = approval;
  return create(ApprovalCertificateSchema, {
    height,
    blockId,
    signatures: signatures.slice(0, -1),
  });
}
