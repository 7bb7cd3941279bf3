import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clone, create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { concatBytes } from "../../../../src/base/bytes.js";
import type { Result } from "../../../../src/base/result.js";
import {
  ApprovalCertificateSchema,
  type BlockCertificates,
} from "../../../../src/gen/bss/v1/block_pb.js";
import {
  type Attestation,
  AttestationSchema,
  AttestationVerdict,
  type Vote,
  VoteKind,
  VoteSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import type { BlockFacts } from "../../../../src/ledger/blocks/block-facts.js";
import {
  buildApproval,
  buildBlockCertificates,
  buildCommit,
  buildIntegrity,
  buildPolka,
} from "../../../../src/ledger/certificates/certificate-builders.js";
import {
  checkApproval,
  checkBlockCertificates,
  checkCommit,
  checkIntegrity,
} from "../../../../src/ledger/certificates/certificates.js";
import { drawCommittee } from "../../../../src/ledger/certificates/committee.js";
import type { SignatureCheck } from "../../../../src/ledger/certificates/signature-check.js";
import { attestationDigest, voteDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import type { Violation } from "../../../../src/ledger/violation.js";
import { allVerify, bytesOf, consortiumId, membersOf, signerOf } from "../consortium.js";

const members = membersOf({ managers: 4, storage: 7 });
const managerIds = members.managers.map((each) => each.managerId);
const facts: BlockFacts = {
  blockId: bytesOf("block"),
  height: 7,
  createdRound: 1,
  proposerId: "manager-1",
  timestampMs: 1_700_000_000_000,
  treeSize: 40,
  hash1: bytesOf("root"),
  beacon: concatBytes(bytesOf("beacon"), bytesOf("second half")),
  leafCount: 3,
  requiredAccepts: ["manager-1", "manager-2", "manager-4"],
  absences: [],
  eligible: members.storageNodes.map((each) => each.nodeId),
};
const withoutLeaves = { ...facts, leafCount: 0 };
const round = 3;
const committeeOf = (inRound: number) =>
  [...drawCommittee({ eligible: facts.eligible, beacon: facts.beacon, round: inRound })].sort();
const committee = committeeOf(round);
const outsiders = facts.eligible.filter((id) => !committee.includes(id));

function voteBy(managerId: string, init: Partial<Omit<Vote, "$typeName">> = {}): Vote {
  const vote = create(VoteSchema, {
    kind: VoteKind.COMMIT,
    height: 7n,
    round,
    validRound: -1,
    blockId: facts.blockId,
    ...init,
    managerId,
  });
  vote.signature = signerOf(managerId).sign(voteDigest(vote, consortiumId) ?? assert.fail("kind"));
  return vote;
}
const acceptBy = (id: string) => voteBy(id, { kind: VoteKind.ACCEPT, round: 0 });
const approveBy = (id: string, validRound = -1) =>
  voteBy(id, { kind: VoteKind.APPROVE, validRound });

function matchBy(nodeId: string, inRound = round): Attestation {
  const { blockId, height, hash1: hash2, treeSize } = facts;
  const audit = bytesOf(`audit of ${nodeId}`);
  const verdict = AttestationVerdict.MATCH;
  const claim = { consortiumId, height, round: inRound, blockId, hash2, treeSize, verdict, audit };
  return create(AttestationSchema, {
    height: 7n,
    round: inRound,
    blockId,
    hash2,
    treeSize: BigInt(treeSize),
    verdict,
    audit,
    nodeId,
    signature: signerOf(nodeId).sign(attestationDigest(claim)),
  });
}

const approval = () => buildApproval(facts.requiredAccepts.map(acceptBy));
const commit = (ids = managerIds.slice(0, 3)) => buildCommit(ids.map((id) => voteBy(id)));
const polka = (ids = managerIds.slice(1)) => buildPolka(ids.map((id) => approveBy(id)));
const integrity = (ids = committee.slice(0, 4), inRound = round) =>
  buildIntegrity({
    round: inRound,
    hash2: facts.hash1,
    matches: ids.map((id) => matchBy(id, inRound)),
  });

type Checks = Result<readonly SignatureCheck[], Violation>;

function assertRight(result: Checks, count: number): void {
  assert.ok(result.ok, result.ok ? "" : `${result.error.field}: ${result.error.message}`);
  assert.equal(result.value.length, count);
  assert.ok(allVerify(result.value));
  for (const check of result.value) assert.equal(check.violation.reason, "CERTIFICATE_INVALID");
}

function assertRefused(result: Checks, field: string | undefined): void {
  assert.ok(!result.ok, "refused");
  assert.deepEqual([result.error.reason, result.error.field], ["CERTIFICATE_INVALID", field]);
}

/** Each makes one mistake in a certificate and names the field that the refusal must name. */
type Mistakes<T> = readonly (readonly [name: string, mistake: (right: T) => void, field: string])[];

function refusesEach<T>(
  fresh: () => T,
  check: (certificate: T) => Checks,
  mistakes: Mistakes<T>,
): void {
  for (const [name, mistake, field] of mistakes) {
    test(`${name} is refused`, () => {
      const certificate = fresh();
      assert.ok(check(certificate).ok, "it is right before");
      mistake(certificate);
      assertRefused(check(certificate), field);
    });
  }
}

const unknownFields = [{ no: 99, wireType: 0, data: new Uint8Array([1]) }];

describe("an approval certificate", () => {
  const check = (certificate: ReturnType<typeof approval>) =>
    checkApproval(certificate, facts, members, consortiumId);

  test("of every required manager is right provided the signatures verify", () => {
    assertRight(check(approval()), 3);
  });

  test("does not depend on the order in which the votes came", () => {
    const reversed = buildApproval(facts.requiredAccepts.toReversed().map(acceptBy));
    assert.deepEqual(reversed, approval());
  });

  test("of managers that are not required is refused, even beside those that are", () => {
    const all = buildApproval(managerIds.map(acceptBy));
    assertRefused(check(all), "approval.signatures");
  });

  test("of a required manager that is no member is refused", () => {
    const required = { ...facts, requiredAccepts: ["manager-1", "manager-2", "manager-9"] };
    const certificate = buildApproval(required.requiredAccepts.map(acceptBy));
    const result = checkApproval(certificate, required, members, consortiumId);
    assertRefused(result, "approval.signatures[2]");
  });

  refusesEach(approval, check, [
    ["one for another height", (c) => Object.assign(c, { height: 8n }), "approval.height"],
    [
      "one for another block",
      (c) => Object.assign(c, { blockId: bytesOf("other") }),
      "approval.block_id",
    ],
    ["one for nil", (c) => Object.assign(c, { blockId: new Uint8Array() }), "approval.block_id"],
    ["a missing manager", (c) => c.signatures.pop(), "approval.signatures"],
    ["no signature at all", (c) => Object.assign(c, { signatures: [] }), "approval.signatures"],
    ["another order", (c) => c.signatures.reverse(), "approval.signatures[1]"],
    [
      "one manager twice in place of another",
      (c) => c.signatures.splice(2, 1, ...c.signatures.slice(1, 2)),
      "approval.signatures[2]",
    ],
    [
      "a manager that is not required in place of one that is",
      (c) => c.signatures.splice(2, 1, ...buildApproval([acceptBy("manager-3")]).signatures),
      "approval.signatures[2]",
    ],
    [
      "a short signature",
      (c) => Object.assign(c.signatures[1] ?? {}, { signature: new Uint8Array(63) }),
      "approval.signatures[1].signature",
    ],
    ["an unknown field", (c) => Object.assign(c, { $unknown: unknownFields }), "approval"],
    [
      "an unknown field in a signature",
      (c) => Object.assign(c.signatures[0] ?? {}, { $unknown: unknownFields }),
      "approval.signatures[0]",
    ],
  ]);
});

describe("a commit certificate", () => {
  const check = (certificate: ReturnType<typeof commit>) =>
    checkCommit(certificate, facts, members, consortiumId);

  test("of a quorum or of all is right provided the signatures verify", () => {
    assertRight(check(commit()), 3);
    assertRight(check(commit(managerIds)), 4);
  });

  test("counts suspended managers", () => {
    assertRight(check(commit(["manager-2", "manager-3", "manager-4"])), 3);
  });

  refusesEach(commit, check, [
    ["one for another height", (c) => Object.assign(c, { height: 6n }), "commit.height"],
    [
      "one for another block",
      (c) => Object.assign(c, { blockId: bytesOf("other") }),
      "commit.block_id",
    ],
    ["less than a quorum", (c) => c.signatures.pop(), "commit.signatures"],
    [
      "a quorum that counts one manager twice",
      (c) => c.signatures.splice(2, 1, ...c.signatures.slice(1, 2)),
      "commit.signatures[2]",
    ],
    [
      "more signatures than managers",
      (c) => c.signatures.push(...c.signatures),
      "commit.signatures",
    ],
    ["another order", (c) => c.signatures.reverse(), "commit.signatures[1]"],
    [
      "a stranger",
      (c) => c.signatures.push(...buildCommit([voteBy("manager-9")]).signatures),
      "commit.signatures[3]",
    ],
    [
      "a storage node",
      (c) => c.signatures.push(...buildCommit([voteBy("storage-1")]).signatures),
      "commit.signatures[3]",
    ],
    [
      "an empty signature",
      (c) => Object.assign(c.signatures[0] ?? {}, { signature: new Uint8Array() }),
      "commit.signatures[0].signature",
    ],
    ["an unknown field", (c) => Object.assign(c, { $unknown: unknownFields }), "commit"],
  ]);

  test("of another round, block or consortium does not verify", () => {
    const inAnotherRound = commit();
    inAnotherRound.round = round + 1;
    const replayed = checkCommit(commit(), facts, members, bytesOf("another consortium"));
    for (const result of [check(inAnotherRound), replayed]) {
      assert.ok(result.ok);
      for (const each of result.value) assert.ok(!allVerify([each]));
    }
  });

  test("cannot be made of APPROVEs", () => {
    const disguised = commit();
    for (const [i, { approvals }] of Array.from({ length: 3 }, () => polka()).entries()) {
      (disguised.signatures[i] ?? assert.fail()).signature =
        approvals[i]?.signature ?? assert.fail();
    }
    const result = check(disguised);
    assert.ok(result.ok && !result.value.some((each) => allVerify([each])));
  });
});

describe("an integrity certificate", () => {
  const check = (certificate: ReturnType<typeof integrity>) =>
    checkIntegrity(certificate, facts, members, consortiumId);
  const [outsider = assert.fail("somebody is outside the committee")] = outsiders;

  test("of more than 2/3 of the committee is right provided the signatures verify", () => {
    assert.deepEqual([facts.eligible.length, committee.length], [7, 5]);
    assertRight(check(integrity()), 4);
    assertRight(check(integrity(committee)), 5);
  });

  test("may be of the round in which the block was made, but of no earlier one", () => {
    const { createdRound } = facts;
    const ids = committeeOf(createdRound);
    assertRight(check(integrity(ids, createdRound)), 5);
    const early = integrity(committeeOf(createdRound - 1), createdRound - 1);
    assertRefused(check(early), "integrity.round");
  });

  test("of another round's committee is refused", () => {
    const other = [4, 5, 6, 7].find((each) => committeeOf(each).join() !== committee.join());
    const certificate = integrity(committeeOf(other ?? assert.fail("committees change")));
    assert.ok(!check(certificate).ok);
  });

  test("is refused when no storage node was eligible", () => {
    const nobody = { ...facts, eligible: [] };
    const certificate = integrity();
    certificate.signatures = [];
    assertRefused(
      checkIntegrity(certificate, nobody, members, consortiumId),
      "integrity.signatures",
    );
  });

  refusesEach(integrity, check, [
    ["one for another height", (c) => Object.assign(c, { height: 6n }), "integrity.height"],
    [
      "one for another block",
      (c) => Object.assign(c, { blockId: bytesOf("other") }),
      "integrity.block_id",
    ],
    ["another root", (c) => Object.assign(c, { hash2: bytesOf("other") }), "integrity.hash2"],
    ["another size", (c) => Object.assign(c, { treeSize: c.treeSize + 1n }), "integrity.tree_size"],
    [
      "a size beyond 2^53",
      (c) => Object.assign(c, { treeSize: c.treeSize + 2n ** 53n }),
      "integrity.tree_size",
    ],
    ["2/3 of the committee or less", (c) => c.signatures.pop(), "integrity.signatures"],
    [
      "more signatures than members",
      (c) => c.signatures.push(...c.signatures),
      "integrity.signatures",
    ],
    ["another order", (c) => c.signatures.reverse(), "integrity.signatures[1]"],
    [
      "one node twice",
      (c) => c.signatures.splice(3, 1, ...c.signatures.slice(2, 3)),
      "integrity.signatures[3]",
    ],
    [
      "an eligible node outside the committee",
      (c) => {
        c.signatures = integrity([...committee.slice(0, 3), outsider]).signatures;
      },
      `integrity.signatures[${[...committee.slice(0, 3), outsider].sort().indexOf(outsider)}]`,
    ],
    [
      "a stranger",
      (c) => c.signatures.push(...integrity(["unknown"]).signatures),
      "integrity.signatures[4]",
    ],
    [
      "a short audit digest",
      (c) => Object.assign(c.signatures[2] ?? {}, { audit: new Uint8Array(31) }),
      "integrity.signatures[2].audit",
    ],
    [
      "a short signature",
      (c) => Object.assign(c.signatures[2] ?? {}, { signature: new Uint8Array(63) }),
      "integrity.signatures[2].signature",
    ],
  ]);

  test("with another audit digest than was signed does not verify", () => {
    const certificate = integrity();
    (certificate.signatures[1] ?? assert.fail()).audit = bytesOf("other");
    const result = check(certificate);
    assert.ok(result.ok && !allVerify(result.value));
  });
});

describe("a block's certificates", () => {
  const fresh = () =>
    buildBlockCertificates({ approval: approval(), commit: commit(), integrity: integrity() });
  const check = (certificates: BlockCertificates) =>
    checkBlockCertificates(certificates, facts, members, consortiumId);

  test("are approval, integrity and commit", () => assertRight(check(fresh()), 3 + 4 + 3));

  test("of a block without leaves have no integrity certificate", () => {
    const plain = buildBlockCertificates({ approval: approval(), commit: commit() });
    assertRight(checkBlockCertificates(plain, withoutLeaves, members, consortiumId), 3 + 3);
    const result = checkBlockCertificates(fresh(), withoutLeaves, members, consortiumId);
    assertRefused(result, "integrity");
  });

  refusesEach(fresh, check, [
    ["no approval", (c) => Object.assign(c, { approval: undefined }), "approval"],
    ["no integrity", (c) => Object.assign(c, { integrity: undefined }), "integrity"],
    ["no commit", (c) => Object.assign(c, { commit: undefined }), "commit"],
    ["a wrong approval", (c) => c.approval?.signatures.reverse(), "approval.signatures[1]"],
    ["a wrong integrity", (c) => c.integrity?.signatures.reverse(), "integrity.signatures[1]"],
    ["a wrong commit", (c) => c.commit?.signatures.reverse(), "commit.signatures[1]"],
    [
      "attestations after the commitment",
      (c) => Object.assign(c, { integrity: integrity(committeeOf(4), 4) }),
      "integrity.round",
    ],
  ]);

  test("with an unknown field are refused", () => {
    const certificates = fresh();
    certificates.$unknown = unknownFields;
    assertRefused(check(certificates), undefined);
  });

  test("are right whoever signed, and refuse every dropped, repeated, moved or foreign entry", () => {
    const subset = (ids: readonly string[], min: number) =>
      fc.subarray([...ids], { minLength: min });
    const lists = fc.record({
      commits: subset(managerIds, 3),
      matches: subset(committee, 4),
      list: fc.constantFrom("approval" as const, "commit" as const, "integrity" as const),
      mutation: fc.constantFrom("drop", "repeat", "swap", "foreign"),
      at: fc.nat(),
      to: fc.nat(),
    });
    const signedApproval = approval();
    const foreign = {
      approval: buildApproval([acceptBy("manager-3")]).signatures,
      commit: commit(["manager-9"]).signatures,
      integrity: integrity([outsiders[0] ?? assert.fail()]).signatures,
    };
    const property = fc.property(lists, ({ commits, matches, list, mutation, at, to }) => {
      const certificates = buildBlockCertificates({
        approval: clone(ApprovalCertificateSchema, signedApproval),
        commit: commit(commits),
        integrity: integrity(matches),
      });
      assertRight(check(certificates), 3 + matches.length + commits.length);
      const target = certificates[list] ?? assert.fail();
      const before = target.signatures as unknown[];
      const after = mutated(before, foreign[list], mutation, at, to);
      target.signatures = after as typeof target.signatures;
      const enough = { approval: 3, commit: 3, integrity: 4 }[list];
      const same = after.length === before.length && after.every((each, i) => each === before[i]);
      const stillEnough = mutation === "drop" && after.length >= enough;
      assert.equal(check(certificates).ok, same || stillEnough);
    });
    fc.assert(property, { numRuns: 150 });
  });
});

function mutated(
  list: readonly unknown[],
  foreign: readonly unknown[],
  mutation: string,
  at: number,
  to: number,
): unknown[] {
  const i = at % list.length;
  const j = to % list.length;
  switch (mutation) {
    case "drop":
      return list.toSpliced(i, 1);
    case "repeat":
      return list.toSpliced(j, 0, list[i]);
    case "swap":
      return list.with(i, list[j]).with(j, list[i]);
    default:
      return list.toSpliced(i, to % 2, ...foreign);
  }
}

describe("making certificates", () => {
  test("of nothing, of different things or of one signer twice is our own bug", () => {
    const [a, b] = ["manager-1", "manager-2"] as const;
    const other = bytesOf("other");
    const bugs: Record<string, () => unknown> = {
      "no votes": () => buildCommit([]),
      "no matches": () => buildIntegrity({ round, hash2: facts.hash1, matches: [] }),
      "another kind": () => buildCommit([voteBy(a), approveBy(b)]),
      "another round": () => buildCommit([voteBy(a), voteBy(b, { round: 4 })]),
      "another height": () => buildApproval([acceptBy(a), { ...acceptBy(b), height: 8n }]),
      "another block": () => buildPolka([approveBy(a), { ...approveBy(b), blockId: other }]),
      "one manager twice": () => buildCommit([voteBy(a), voteBy(a)]),
      "one node twice": () => integrity(["storage-1", "storage-1"]),
      "a match of another round": () =>
        buildIntegrity({ round, hash2: facts.hash1, matches: [matchBy("storage-1", 4)] }),
      "another root": () =>
        buildIntegrity({ round, hash2: other, matches: [matchBy("storage-1")] }),
      "a mismatch": () => {
        const mismatch = { ...matchBy("storage-1"), verdict: AttestationVerdict.MISMATCH };
        return buildIntegrity({ round, hash2: facts.hash1, matches: [mismatch] });
      },
    };
    for (const [name, bug] of Object.entries(bugs)) assert.throws(bug, name);
  });
});
