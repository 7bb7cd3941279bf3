import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { toHex } from "../../../../src/base/bytes.js";
import type { RingEvent } from "../../../../src/consensus/ring/events.js";
import { LockCertificateSchema } from "../../../../src/gen/bss/v1/block_pb.js";
import {
  ControlOperationSchema,
  EvidenceSchema,
  ResumeManagerSchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import {
  AuditFindingSchema,
  ForkProofSchema,
  ManagerBlocksSchema,
  type Proposal,
  type SignedHead,
  SignedHeadSchema,
  UnreachableNoticeSchema,
  type Vote,
  VoteKind,
  type VoteRequest,
  VoteRequestSchema,
  VoteResponseSchema,
} from "../../../../src/gen/bss/v1/vote_pb.js";
import { compactOf } from "../../../../src/ledger/blocks/compact-blocks.js";
import {
  buildApproval,
  buildIntegrity,
  buildPolka,
} from "../../../../src/ledger/certificates/certificate-builders.js";
import { headDigest } from "../../../../src/ledger/certificates/vote-digests.js";
import {
  differingHeadPrice,
  headLimit,
  type PeerReceiver,
  type VoteMessage,
} from "../../../../src/manager/peers/peer-receiver.js";
import { CandidateBlocks } from "../../../../src/manager/ring/candidate-blocks.js";
import { Chain } from "../../ledger/support/chain.js";
import { consortiumId, genesis, managerIds } from "../../ledger/support/consortium.js";
import { documentBytes, seedOf, sign, submitted } from "../../ledger/support/records.js";
import { callerContext, FakeStream } from "../support/fake-stream.js";
import { receiverOf } from "../support/receiver.js";
import { accept, approve, attestation, attestations, commit, proposal } from "../support/votes.js";

type Message = MessageInitShape<typeof VoteRequestSchema>["message"];

const { block, executed } = new Chain().propose({ candidates: [submitted([documentBytes()])] });
const { facts } = executed;
const proposer = genesis.members.proposer(1, 0);
const selfId = "manager-1";
const peer = "manager-2";
const flipped = (bytes: Uint8Array) => bytes.with(0, (bytes[0] ?? 0) ^ 1);

function headOf(
  managerId: string,
  height: number,
  parts: MessageInitShape<typeof SignedHeadSchema> = {},
): SignedHead {
  const claim = {
    consortiumId,
    height,
    blockId: facts.blockId,
    hash1: facts.hash1,
    stateDigest: seedOf("state"),
  };
  return create(SignedHeadSchema, {
    height: BigInt(height),
    blockId: claim.blockId,
    hash1: claim.hash1,
    managerId,
    stateDigest: claim.stateDigest,
    signature: sign(managerId, headDigest(claim)),
    ...parts,
  });
}

function lockCertificate() {
  const approvals = managerIds.slice(0, 3).map((id) => approve(id, facts));
  const accepts = facts.requiredAccepts.map((id) => accept(id, facts));
  const integrity = { round: 0, hash2: facts.hash1, matches: attestations(facts) };
  return create(LockCertificateSchema, {
    polka: buildPolka(approvals),
    approval: buildApproval(accepts),
    integrity: buildIntegrity(integrity),
  });
}

describe("what comes in on a stream of votes", () => {
  let posted: RingEvent[];
  let heads: (readonly [from: string, height: number])[];
  let verified: bigint[];
  let supervision: string[];
  let lagging: string[];
  let dropped: string[];
  let bodies: unknown[];
  /** Whose compact blocks; the first is of use. */
  let kept: string[];
  let own: (Vote | Proposal)[];
  let candidates: CandidateBlocks;
  let receiver: PeerReceiver;
  let read: (readonly [number, number])[];
  let answers: string[];
  let height: number;
  let nowMs: number;
  let fit: "fits" | "differs";
  let wantsLate: boolean;
  let attested: string[];
  let claimed: (readonly [from: string, height: number])[];

  beforeEach(() => {
    posted = [];
    heads = [];
    verified = [];
    supervision = [];
    lagging = [];
    dropped = [];
    [bodies, kept] = [[], []];
    own = [];
    height = 1;
    nowMs = 0;
    wantsLate = false;
    fit = "fits";
    attested = [];
    claimed = [];
    candidates = new CandidateBlocks({ isBoundTo: () => false });
    [read, answers] = [[], []];
    receiver = receiverOf({
      selfId,
      monotonicMs: () => nowMs,
      dropped: (_, reason) => dropped.push(reason),
      ring: {
        get height() {
          return height;
        },
      },
      inbox: { post: (event) => posted.push(event) },
      candidates,
      judge: {
        takeBody: async (body) => void bodies.push(body),
        takeCompact: async (id) => void bodies.push(toHex(id)),
      },
      compact: {
        keep: (_, { from }) => kept.push(from) === 1,
        takeEntries: () => undefined,
        answer: () => undefined,
      },
      abstention: {
        listening: false,
        hearOwn: (statement) => own.push(statement),
        hearHead: (from, at) => heads.push([from, at]),
      },
      supervision: {
        isNews: (head) => head.height >= 5n,
        takeHead: async (head) => {
          verified.push(head.height);
          return fit;
        },
        take: async (_, message) => void supervision.push(message.case),
        takeBlocks: async () => false,
      },
      storageSupervision: {
        wantsLate: () => wantsLate,
        noteAttestation: ({ nodeId }, from) => attested.push(`${nodeId} by ${from}`),
        take: async (_, message) => void supervision.push(message.case),
      },
      announcer: { remind: (from) => lagging.push(from) },
      blocks: {
        forManagers: async (from, limit) => {
          read.push([from, limit]);
          return create(ManagerBlocksSchema);
        },
      },
      sync: {
        onHeight: (from, at) => claimed.push([from, at]),
        take: ({ peer: from }) => answers.push(from),
      },
    });
  });

  const take = (message: VoteMessage) => receiver.take(peer, message);
  const vote = (value: Vote): VoteMessage => ({ case: "vote", value });
  const kinds = () => posted.map(({ kind }) => kind);

  test("of this manager is noticed, inside certificates and of heights ahead too", async () => {
    const far = { height: 9, blockId: facts.blockId };
    await take(vote(commit(selfId, far)));
    await take({ case: "proposal", value: proposal(selfId, far) });
    await take(vote(commit(peer, facts)));
    assert.deepEqual(
      own.map((each) => each.height),
      [9n, 9n],
    );
    await take({ case: "lockCertificate", value: lockCertificate() });
    assert.ok(own.length > 2 && own.every(({ managerId }) => managerId === selfId));
    const forged = commit(selfId, far);
    own = [];
    await take(vote({ ...forged, signature: flipped(forged.signature) }));
    height = 10;
    await take(vote(commit(selfId, far)));
    assert.deepEqual(
      own.map((each) => each.height),
      [9n],
      "only the one that is decided here",
    );
  });

  test("goes to the ring when it is rightly signed, whoever passes it on", async () => {
    for (const id of managerIds) {
      for (const make of [accept, approve, commit]) await take(vote(make(id, facts)));
    }
    for (const value of attestations(facts)) await take({ case: "attestation", value });
    await take({ case: "proposal", value: proposal(proposer, facts) });
    await take({ case: "lockCertificate", value: lockCertificate() });
    assert.deepEqual(dropped, []);
    assert.equal(kinds().filter((kind) => kind === "vote").length, 12);
    assert.equal(kinds().filter((kind) => kind === "attestation").length, 3);
    assert.deepEqual(kinds().slice(-2), ["proposal", "lock-certificate"]);
  });

  test("shows that its sender, whoever signed it, holds the block before", async () => {
    await take(vote(commit("manager-3", facts)));
    assert.deepEqual(claimed, []);
    for (const ahead of [2, 9]) {
      await take(vote(commit("manager-3", { height: ahead, blockId: facts.blockId })));
    }
    await receiver.takeAttestation("storage-1", {
      ...attestation("storage-1", facts),
      height: 9n,
    });
    assert.deepEqual(claimed, [
      [peer, 1],
      [peer, 8],
    ]);
  });

  test("of a decided height is an attestation only where it may still be carried", async () => {
    height = 2;
    const value = attestation("storage-1", facts);
    await take({ case: "attestation", value });
    assert.deepEqual([attested, lagging], [[], [peer]]);
    wantsLate = true;
    await take({ case: "attestation", value: { ...value, signature: flipped(value.signature) } });
    assert.deepEqual([attested, dropped], [[], ["SIGNATURE_INVALID"]]);
    await take({ case: "attestation", value });
    assert.deepEqual(attested, [`storage-1 by ${peer}`]);
    assert.deepEqual(posted, [], "the ring has done with it");
  });

  test("goes to the supervision of storage nodes when it is about storage nodes or who joins", async () => {
    await take({ case: "operation", value: create(ControlOperationSchema) });
    await take({ case: "unreachable", value: create(UnreachableNoticeSchema) });
    await take({ case: "finding", value: create(AuditFindingSchema) });
    assert.deepEqual(supervision, ["operation", "unreachable", "finding"]);
  });

  const stranger = "manager-9";
  const hostile: readonly (readonly [string, () => VoteMessage, string])[] = [
    [
      "a vote whose signature is another's",
      () => vote({ ...accept("manager-1", facts), managerId: "manager-3" }),
      "SIGNATURE_INVALID",
    ],
    ["a vote by a stranger", () => vote(accept(stranger, facts)), "SIGNER_UNKNOWN"],
    [
      "a vote for another round than was signed",
      () => vote({ ...approve("manager-1", facts), round: 3 }),
      "SIGNATURE_INVALID",
    ],
    [
      "an APPROVE that is passed off as a COMMIT",
      () => vote({ ...approve("manager-1", facts), kind: VoteKind.COMMIT }),
      "SIGNATURE_INVALID",
    ],
    [
      "a vote of no kind",
      () => vote({ ...accept("manager-1", facts), kind: VoteKind.UNSPECIFIED }),
      "VOTE_MALFORMED",
    ],
    [
      "a block id of another length",
      () => vote({ ...accept("manager-1", facts), blockId: new Uint8Array(5) }),
      "VOTE_MALFORMED",
    ],
    [
      "a signature that is cut off",
      () => vote({ ...accept("manager-1", facts), signature: new Uint8Array(63) }),
      "VOTE_MALFORMED",
    ],
    [
      "an attestation with another root",
      () => ({
        case: "attestation",
        value: { ...attestation("storage-1", facts), hash2: flipped(facts.hash1) },
      }),
      "SIGNATURE_INVALID",
    ],
    [
      "an attestation by a manager",
      () => ({ case: "attestation", value: attestation("manager-1", facts) }),
      "SIGNER_UNKNOWN",
    ],
    [
      "a proposal by one whose turn it is not",
      () => ({ case: "proposal", value: proposal("manager-1", facts, 1) }),
      "NOT_THE_PROPOSER",
    ],
    [
      "a proposal that its proposer did not sign",
      () => ({
        case: "proposal",
        value: { ...proposal(proposer, facts), blockId: flipped(facts.blockId) },
      }),
      "SIGNATURE_INVALID",
    ],
  ];
  for (const [what, make, reason] of hostile) {
    test(`never reaches the ring when it is ${what}: ${reason}`, async () => {
      await take(make());
      assert.deepEqual(posted, []);
      assert.deepEqual(dropped, [reason]);
    });
  }

  test("is dropped with the whole of a certificate when one signature in it is wrong", async () => {
    const again = proposal(proposer, facts, genesis.members.managers.length, 0);
    const right = { ...again, lockCertificate: lockCertificate() };
    await take({ case: "proposal", value: right });
    assert.deepEqual(kinds(), ["proposal"]);
    posted = [];
    const certificate = lockCertificate();
    const [first] = certificate.polka?.approvals ?? [];
    assert.ok(first);
    first.signature = flipped(first.signature);
    await take({ case: "lockCertificate", value: certificate });
    await take({ case: "proposal", value: { ...again, lockCertificate: certificate } });
    assert.deepEqual(posted, []);
    assert.deepEqual(dropped, ["SIGNATURE_INVALID", "SIGNATURE_INVALID"]);
  });

  test("proves nothing when it is a certificate without anything in it", async () => {
    await take({
      case: "lockCertificate",
      value: create(LockCertificateSchema, { polka: { height: 1n } }),
    });
    await take({ case: "lockCertificate", value: create(LockCertificateSchema) });
    assert.deepEqual(posted, []);
  });

  test("counts for this height, the next, and two before; what is older shows a laggard", async () => {
    for (const [current, reaches] of [
      [1, ["vote", "proposal", "attestation", "lock-certificate"]],
      [0, ["vote", "proposal", "attestation", "lock-certificate"]],
      [2, ["vote", "proposal"]],
      [3, ["vote", "proposal"]],
      [4, []],
    ] as const) {
      height = current;
      posted = [];
      lagging = [];
      await take(vote(accept("manager-1", facts)));
      await take({ case: "proposal", value: proposal(proposer, facts) });
      await take({ case: "attestation", value: attestation("storage-1", facts) });
      await take({ case: "lockCertificate", value: lockCertificate() });
      assert.deepEqual(kinds(), reaches, `at ${current}`);
      assert.equal(lagging.length, current > 1 ? 4 : 0, `at ${current}`);
    }
    height = 1;
    posted = [];
    await take(vote({ ...accept("manager-1", facts), height: 2n ** 64n - 1n }));
    assert.deepEqual(posted, []);
  });

  test("is looked at for contradictions even if it was not its signer's turn, once decided", async () => {
    const other = managerIds.find((id) => id !== proposer) ?? "";
    const early = { ...proposal(other, facts), block } as never;
    await take({ case: "proposal", value: early });
    assert.deepEqual([dropped, kinds()], [["NOT_THE_PROPOSER"], []]);
    height = 2;
    await take({ case: "proposal", value: early });
    assert.deepEqual(kinds(), ["proposal"]);
    assert.deepEqual([bodies, candidates.get(facts.blockId)], [[], undefined]);
  });

  test("leaves the body of a proposal where it can be judged, under the body's own id", async () => {
    const other = { ...block, block: { ...block.block, header: new Uint8Array([1]) } };
    const value = { ...proposal(proposer, facts), block: other } as never;
    await take({ case: "proposal", value });
    assert.equal(candidates.get(facts.blockId), undefined);
    const right = { ...proposal(proposer, facts), block };
    await take({ case: "proposal", value: right });
    assert.equal(candidates.get(facts.blockId)?.block, block);
    assert.deepEqual(bodies, [other, block], "whoever waits for a body is told that it came");
    assert.equal(toHex(facts.blockId).length, 64);
  });

  test("keeps the compact block of a proposal that comes from its proposer itself", async () => {
    const value = { ...proposal(proposer, facts), compact: compactOf(block) };
    const other = managerIds.find((id) => id !== proposer) ?? "";
    await receiver.take(other, { case: "proposal", value });
    assert.deepEqual([kept, bodies], [[], [undefined]], "a relay");
    await receiver.take(proposer, { case: "proposal", value });
    assert.deepEqual([kept, bodies], [[proposer], [undefined, toHex(facts.blockId)]]);
    await receiver.take(proposer, { case: "proposal", value });
    assert.deepEqual(bodies.slice(2), [undefined]);
    assert.equal(candidates.get(facts.blockId), undefined, "it is made when it is to be judged");
  });

  test("tells where a peer stands, by its own word only", async () => {
    await take({ case: "head", value: headOf(peer, 5) });
    assert.deepEqual([heads, verified], [[[peer, 5]], [5n]]);
    await take({ case: "head", value: headOf("manager-3", 9) });
    await take({ case: "head", value: headOf(peer, 7, { signature: new Uint8Array(64) }) });
    await take({ case: "head", value: headOf(peer, 7, { hash1: new Uint8Array(3) }) });
    assert.deepEqual([heads, verified], [[[peer, 5]], [5n]]);
    assert.deepEqual(dropped, ["HEAD_OF_ANOTHER", "SIGNATURE_INVALID", "VOTE_MALFORMED"]);
  });

  test("looks at so many heads of one manager, and no fewer of another", async () => {
    for (let i = 0; i < headLimit.burst + 3; i++) {
      await take({ case: "head", value: headOf(peer, 5) });
    }
    assert.equal(verified.length, headLimit.burst);
    assert.deepEqual(dropped, Array(3).fill("HEADS_TOO_FREQUENT"));
    await receiver.take("manager-3", { case: "head", value: headOf("manager-3", 6) });
    assert.equal(verified.at(-1), 6n);
    nowMs += 1_000;
    await take({ case: "head", value: headOf(peer, 5) });
    assert.equal(verified.length, headLimit.burst + 2);
  });

  test("looks at a tenth as many heads that are not what it holds", async () => {
    fit = "differs";
    for (let i = 0; i < headLimit.burst; i++) {
      await take({ case: "head", value: headOf(peer, 5) });
    }
    assert.equal(verified.length, headLimit.burst / differingHeadPrice);
    await receiver.take("manager-3", { case: "head", value: headOf("manager-3", 6) });
    assert.equal(verified.at(-1), 6n);
    fit = "fits";
    nowMs += 1_000;
    await take({ case: "head", value: headOf(peer, 5) });
    assert.equal(verified.at(-1), 5n, "it is heard again soon");
  });

  test("spends no signature on a head that says nothing new, and says so", async () => {
    await take({ case: "head", value: headOf(peer, 4, { signature: new Uint8Array(64) }) });
    assert.deepEqual([heads, verified], [[[peer, 4]], []]);
    await take({ case: "head", value: headOf(peer, 4, { hash1: new Uint8Array(3) }) });
    assert.deepEqual(dropped, ["VOTE_MALFORMED"]);
  });

  test("passes on what managers say about each other", async () => {
    await take({ case: "evidence", value: create(EvidenceSchema) });
    await take({ case: "resume", value: create(ResumeManagerSchema) });
    await take({ case: "fork", value: create(ForkProofSchema) });
    assert.deepEqual(supervision, ["evidence", "resume", "fork"]);
    assert.deepEqual([dropped, posted], [[], []]);
  });

  const serve = async (...messages: readonly Message[]) => {
    const requests = messages.map((message) =>
      create(VoteRequestSchema, message === undefined ? {} : { message }),
    );
    const stream = new FakeStream<VoteRequest, MessageInitShape<typeof VoteResponseSchema>>(
      ...requests,
    );
    stream.ended = true;
    await receiver.serve(callerContext("manager", "manager-2"), stream);
    return stream.written.map(({ message }) => message);
  };

  test("gives out the bodies that it holds, and is silent about others", async () => {
    const known = { case: "fetchBody", value: { height: 1n, blockId: facts.blockId } } as const;
    const unknown = { case: "fetchBody", value: { blockId: new Uint8Array(32) } } as const;
    candidates.add(1, block);
    const [answer, ...more] = await serve(unknown, known);
    assert.ok(answer?.case === "body");
    assert.equal(answer.value.block, block);
    assert.deepEqual(more, []);
  });

  test("reads final blocks for peers within bounds", async () => {
    const fetch = (fromHeight: bigint, limit: number) =>
      ({ case: "fetchBlocks", value: { fromHeight, limit } }) as const;
    await serve(fetch(3n, 10), fetch(3n, 0), fetch(3n, 4_000_000_000), fetch(2n ** 64n - 1n, 1));
    assert.deepEqual(read, [
      [3, 10],
      [3, 1],
      [3, 100],
      [0, 1],
    ]);
  });

  test("hands everything else on in the caller's name", async () => {
    const vote = accept("manager-4", facts);
    await serve({ case: "vote", value: vote }, undefined, { case: "vote", value: vote });
    assert.deepEqual(kinds(), ["vote", "vote"]);
  });

  test("hands answers on with the name of who gave them", async () => {
    for (const kind of ["body", "blocks"] as const) {
      const message = { case: kind, value: {} } as const;
      await receiver.onResponse("manager-3", create(VoteResponseSchema, { message }));
    }
    assert.deepEqual([bodies.length, answers], [1, ["manager-3"]]);
  });
});
