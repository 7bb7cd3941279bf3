import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { concatBytes, utf8 } from "../../../../src/base/bytes.js";
import type { Result } from "../../../../src/base/result.js";
import { ed25519Verify } from "../../../../src/crypto/ed25519.js";
import { LockCertificateSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import {
  AttestationSchema,
  AttestationVerdict,
  ProposalSchema,
  SignedHeadSchema,
  VoteKind,
  VoteSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import type { SignatureCheck } from "../../../../src/ledger/certificates/signature-check.js";
import * as digests from "../../../../src/ledger/certificates/vote-digests.js";
import * as votes from "../../../../src/ledger/certificates/votes.js";
import type { Violation } from "../../../../src/ledger/violation.js";
import { bytesOf, consortiumId, membersOf, signerOf } from "../consortium.js";

const members = membersOf({ managers: 4, storage: 3 });
const blockId = bytesOf("block");
const hash = bytesOf("root");
const audit = bytesOf("audit");
const stateDigest = bytesOf("state");
const nil = new Uint8Array();

/**
 * Length-delimited field, written by hand: the expected bytes must not come from the code under
 * test.
 */
const field = (number: number, value: Uint8Array) =>
  concatBytes(new Uint8Array([(number << 3) | 2, value.length]), value);
const number = (tag: number, ...varint: number[]) => new Uint8Array([tag, ...varint]);
const digest = (tag: string, ...parts: Uint8Array[]) =>
  new Uint8Array(
    createHash("sha256")
      .update(concatBytes(utf8(tag), ...parts))
      .digest(),
  );

describe("what is signed", () => {
  const at = { consortiumId, height: 300, blockId };
  const height = number(0x10, 0xac, 0x02);
  const cases: readonly [string, Uint8Array, Uint8Array][] = [
    [
      "a fresh PROPOSE",
      digests.proposalDigest({ ...at, round: 2, validRound: -1 }),
      digest(
        "bss/v1/propose",
        ...[field(1, consortiumId), height, number(0x18, 2), number(0x20, 1), field(5, blockId)],
      ),
    ],
    [
      "a PROPOSE of round 0 with valid round 0, which leaves both out",
      digests.proposalDigest({ ...at, round: 0, validRound: 0 }),
      digest("bss/v1/propose", field(1, consortiumId), height, field(5, blockId)),
    ],
    [
      "an ACCEPT",
      digests.acceptDigest(at),
      digest("bss/v1/accept", field(1, consortiumId), height, field(3, blockId)),
    ],
    [
      "an APPROVE of a re-proposal",
      digests.approveDigest({ ...at, round: 5, validRound: 3 }),
      digest(
        "bss/v1/approve",
        ...[field(1, consortiumId), height, number(0x18, 5), number(0x20, 6), field(5, blockId)],
      ),
    ],
    [
      "an APPROVE of nil",
      digests.approveDigest({ ...at, round: 5, validRound: -1, blockId: nil }),
      digest(
        "bss/v1/approve",
        ...[field(1, consortiumId), height, number(0x18, 5), number(0x20, 1)],
      ),
    ],
    [
      "a COMMIT",
      digests.commitDigest({ ...at, round: 5 }),
      digest(
        "bss/v1/commit",
        ...[field(1, consortiumId), height, number(0x18, 5), field(4, blockId)],
      ),
    ],
    [
      "an attestation",
      digests.attestationDigest({
        ...at,
        round: 1,
        hash2: hash,
        treeSize: 9,
        audit,
        verdict: AttestationVerdict.MISMATCH,
      }),
      digest(
        "bss/v1/attestation",
        ...[field(1, consortiumId), height, number(0x18, 1), field(4, blockId), field(5, hash)],
        ...[number(0x30, 9), number(0x38, 2), field(8, audit)],
      ),
    ],
    [
      "a head",
      digests.headDigest({ ...at, hash1: hash, stateDigest }),
      digest(
        "bss/v1/head",
        ...[field(1, consortiumId), height, field(3, blockId), field(4, hash)],
        field(5, stateDigest),
      ),
    ],
  ];
  for (const [name, actual, expected] of cases) {
    test(`${name} is SHA-256 of tag and canonical bytes`, () => assert.deepEqual(actual, expected));
  }
});

type VoteInit = MessageInitShape<typeof VoteSchema>;

function voteOf(init: VoteInit) {
  const vote = create(VoteSchema, {
    kind: VoteKind.APPROVE,
    height: 7n,
    round: 2,
    validRound: -1,
    blockId,
    managerId: "manager-2",
    ...init,
  });
  const signed = digests.voteDigest(vote, consortiumId);
  if (signed !== undefined) vote.signature = signerOf(vote.managerId).sign(signed);
  return create(VoteSchema, { ...vote, ...(init.signature && { signature: init.signature }) });
}

function assertVerifies(result: Result<SignatureCheck, Violation>): void {
  assert.ok(result.ok);
  const check = result.value;
  assert.ok(ed25519Verify(check.publicKey, check.digest, check.signature));
  assert.equal(check.violation.reason, "SIGNATURE_INVALID");
}

function assertRefused(
  result: Result<SignatureCheck, Violation>,
  reason: string,
  name: string,
): void {
  assert.ok(!result.ok);
  assert.deepEqual([result.error.reason, result.error.field], [reason, name]);
}

describe("a vote", () => {
  const accept = { kind: VoteKind.ACCEPT, round: 0 };
  const commit = { kind: VoteKind.COMMIT };
  const right: Record<string, VoteInit> = {
    ACCEPT: accept,
    "APPROVE of a fresh block": {},
    "APPROVE of a re-proposal": { validRound: 1 },
    "APPROVE of nil": { blockId: nil },
    COMMIT: commit,
    "COMMIT of nil": { ...commit, blockId: nil },
    "APPROVE in the last round there is": { round: 2 ** 32 - 1 },
    "APPROVE at the last height there is": { height: BigInt(Number.MAX_SAFE_INTEGER) },
  };
  for (const [name, init] of Object.entries(right)) {
    test(`${name} is right provided its signature verifies`, () => {
      assertVerifies(votes.checkVote(voteOf(init), members, consortiumId));
    });
  }

  const wrong: readonly [string, VoteInit, string, string?][] = [
    ["of no kind", { kind: VoteKind.UNSPECIFIED }, "kind"],
    ["of an unknown kind", { kind: 9 as VoteKind }, "kind"],
    ["at height 0", { height: 0n }, "height"],
    ["at an unsafe height", { height: 2n ** 53n }, "height"],
    ["with a short block id", { blockId: blockId.subarray(1) }, "block_id"],
    ["with a long block id", { blockId: concatBytes(blockId, blockId) }, "block_id"],
    ["ACCEPT of nil", { ...accept, blockId: nil }, "block_id"],
    ["ACCEPT in a round", { ...accept, round: 1 }, "round"],
    ["ACCEPT with a valid round", { ...accept, validRound: 0 }, "valid_round"],
    ["COMMIT with a valid round", { ...commit, validRound: 0 }, "valid_round"],
    ["APPROVE of nil with a valid round", { blockId: nil, validRound: 1 }, "valid_round"],
    ["APPROVE with the valid round of its own", { validRound: 2 }, "valid_round"],
    ["APPROVE with valid round -2", { validRound: -2 }, "valid_round"],
    ["with a short signature", { signature: new Uint8Array(63) }, "signature"],
    ["of a stranger", { managerId: "manager-9" }, "manager_id", "SIGNER_UNKNOWN"],
    ["of a storage node", { managerId: "storage-1" }, "manager_id", "SIGNER_UNKNOWN"],
  ];
  for (const [name, init, at, reason = "VOTE_MALFORMED"] of wrong) {
    test(`${name} is refused`, () => {
      assertRefused(votes.checkVote(voteOf(init), members, consortiumId), reason, at);
    });
  }

  test("does not verify in another consortium, nor for another manager", () => {
    const vote = voteOf({});
    const others = [
      votes.checkVote(vote, members, bytesOf("another consortium")),
      votes.checkVote({ ...vote, managerId: "manager-3" }, members, consortiumId),
      votes.checkVote({ ...vote, round: 3 }, members, consortiumId),
    ];
    for (const each of others) {
      assert.ok(each.ok);
      const { publicKey, digest: signed, signature } = each.value;
      assert.ok(!ed25519Verify(publicKey, signed, signature));
    }
  });
});

describe("a proposal", () => {
  type Init = MessageInitShape<typeof ProposalSchema>;
  const lockCertificate = create(LockCertificateSchema);
  const proposalOf = (init: Init) => {
    const proposal = create(ProposalSchema, {
      height: 7n,
      round: 2,
      validRound: -1,
      blockId,
      managerId: "manager-1",
      ...init,
    });
    const { round, validRound } = proposal;
    const at = { consortiumId, height: 7, round, validRound, blockId };
    return create(ProposalSchema, {
      ...proposal,
      signature: init.signature ?? signerOf("manager-1").sign(digests.proposalDigest(at)),
    });
  };

  test("of a fresh block, or with a lock certificate, is right provided it verifies", () => {
    const reproposals = [0, 1].map((validRound) => ({ validRound, lockCertificate }));
    for (const init of [{}, ...reproposals]) {
      assertVerifies(votes.checkProposal(proposalOf(init), members, consortiumId));
    }
  });

  const wrong: readonly [string, Init, string, string?][] = [
    ["at height 0", { height: 0n }, "height"],
    ["of nil", { blockId: nil }, "block_id"],
    ["with valid round -2", { validRound: -2 }, "valid_round"],
    ["with its own round as valid round", { validRound: 2, lockCertificate }, "valid_round"],
    ["without the certificate of its valid round", { validRound: 1 }, "lock_certificate"],
    ["of a fresh block with a certificate", { lockCertificate }, "lock_certificate"],
    ["with a long signature", { signature: new Uint8Array(65) }, "signature"],
    ["of a stranger", { managerId: "manager-5" }, "manager_id", "SIGNER_UNKNOWN"],
  ];
  for (const [name, init, at, reason = "VOTE_MALFORMED"] of wrong) {
    test(`${name} is refused`, () => {
      assertRefused(votes.checkProposal(proposalOf(init), members, consortiumId), reason, at);
    });
  }
});

describe("an attestation", () => {
  type Init = MessageInitShape<typeof AttestationSchema>;
  const attestationOf = (init: Init) => {
    const verdict = init.verdict ?? AttestationVerdict.MATCH;
    const claim = { consortiumId, height: 7, round: 2, blockId, hash2: hash, treeSize: 3 };
    return create(AttestationSchema, {
      height: 7n,
      round: 2,
      blockId,
      hash2: hash,
      treeSize: 3n,
      audit,
      nodeId: "storage-2",
      signature: signerOf("storage-2").sign(
        digests.attestationDigest({ ...claim, verdict, audit }),
      ),
      verdict,
      ...init,
    });
  };

  test("of a match or a mismatch is right provided it verifies", () => {
    for (const verdict of [AttestationVerdict.MATCH, AttestationVerdict.MISMATCH]) {
      assertVerifies(votes.checkAttestation(attestationOf({ verdict }), members, consortiumId));
    }
  });

  const wrong: readonly [string, Init, string, string?][] = [
    ["at height 0", { height: 0n }, "height"],
    ["with an unsafe tree size", { treeSize: 2n ** 53n }, "tree_size"],
    ["of nil", { blockId: nil }, "block_id"],
    ["without hash2", { hash2: nil }, "hash2"],
    ["without an audit digest", { audit: nil }, "audit"],
    ["without a verdict", { verdict: AttestationVerdict.UNSPECIFIED }, "verdict"],
    ["with an unknown verdict", { verdict: 3 as AttestationVerdict }, "verdict"],
    ["without a signature", { signature: nil }, "signature"],
    ["of a stranger", { nodeId: "storage-9" }, "node_id", "SIGNER_UNKNOWN"],
    ["of a manager", { nodeId: "manager-1" }, "node_id", "SIGNER_UNKNOWN"],
  ];
  for (const [name, init, at, reason = "VOTE_MALFORMED"] of wrong) {
    test(`${name} is refused`, () => {
      assertRefused(votes.checkAttestation(attestationOf(init), members, consortiumId), reason, at);
    });
  }
});

describe("a head", () => {
  type Init = MessageInitShape<typeof SignedHeadSchema>;
  const headOf = (init: Init) => {
    const head = create(SignedHeadSchema, {
      height: 0n,
      blockId,
      hash1: hash,
      stateDigest,
      managerId: "manager-3",
      ...init,
    });
    const height = Number(head.height);
    const signed = digests.headDigest({ consortiumId, height, blockId, hash1: hash, stateDigest });
    head.signature = init.signature ?? signerOf("manager-3").sign(signed);
    return head;
  };

  test("is right provided it verifies, that of genesis too", () => {
    for (const height of [0n, 8n]) {
      assertVerifies(votes.checkHead(headOf({ height }), members, consortiumId));
    }
  });

  const wrong: readonly [string, Init, string, string?][] = [
    ["at an unsafe height", { height: 2n ** 53n }, "height"],
    ["without a block id", { blockId: nil }, "block_id"],
    ["without hash1", { hash1: nil }, "hash1"],
    ["without a state digest", { stateDigest: nil }, "state_digest"],
    ["without a signature", { signature: nil }, "signature"],
    ["of a stranger", { managerId: "manager-5" }, "manager_id", "SIGNER_UNKNOWN"],
  ];
  for (const [name, init, at, reason = "VOTE_MALFORMED"] of wrong) {
    test(`${name} is refused`, () => {
      assertRefused(votes.checkHead(headOf(init), members, consortiumId), reason, at);
    });
  }
});
