/** Things besides the rounds that are not so: heads, evidence, resumes, objections, answers. */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../../src/base/assert.js";
import { ObjectionSchema, SignedObjectionsSchema } from "../../../src/gen/bss/v1/broadcast_pb.js";
import { ResumeManagerSchema } from "../../../src/gen/bss/v1/genesis_pb.js";
import type { Submission } from "../../../src/gen/bss/v1/record_pb.js";
import { ForkProofSchema, SignedHeadSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { buildCommit } from "../../../src/ledger/certificates/certificate-builders.js";
import { votesEvidence } from "../../../src/ledger/certificates/evidence.js";
import { objectionsDigest, objectionsRoot } from "../../../src/ledger/certificates/objections.js";
import { headDigest, resumeDigest } from "../../../src/ledger/certificates/vote-digests.js";
import { rootOf } from "../../../src/ledger/merkle/frontier.js";
import { parseSubmission } from "../../../src/ledger/records/submissions.js";
import { seedOf } from "../signatures.js";
import { signVote } from "../statements.js";
import { type ByzantineParts, someOthers } from "./parts.js";
import type { VoteAnswer } from "./twist.js";

const kinds = ["head", "evidence", "resume", "fork"] as const;
const wrongReasons = ["READING_OVERLAP", "PARENT_UNKNOWN", "SIGNATURE_INVALID"] as const;

export class Forgeries {
  readonly #parts: ByzantineParts;

  constructor(parts: ByzantineParts) {
    this.#parts = parts;
  }

  anything(): void {
    const kind = this.#parts.random.pick(kinds);
    this.#parts.world.counters.count(`byzantine false ${kind}`);
    this[kind]();
  }

  /** A head that it does not have: another block, another state, or far ahead. */
  head(): void {
    const { node, random, signer } = this.#parts;
    const head = node.store?.head;
    if (head === undefined) return;
    const claim = {
      consortiumId: signer.consortiumId,
      height: random.chance(0.3) ? head.height + 1 + random.below(3) : head.height,
      blockId: random.chance(0.5) ? head.blockId : seedOf("no block"),
      hash1: random.chance(0.5) ? rootOf(head.frontier) : seedOf("no root"),
      stateDigest: seedOf("no state"),
    };
    const { blockId, hash1, stateDigest } = claim;
    const value = create(SignedHeadSchema, {
      blockId,
      hash1,
      stateDigest,
      managerId: node.id,
      height: BigInt(claim.height),
      signature: signer.sign(headDigest(claim)),
    });
    node.say({ case: "head", value }, someOthers(this.#parts));
  }

  /** Against somebody who has said neither of the two. */
  evidence(): void {
    const { world, node, random, signer } = this.#parts;
    const victim = random.pick(world.consortium.managerIds.filter((id) => id !== node.id));
    const height = (node.store?.head.height ?? 0) + 1;
    const votes = ["a", "b"].map((name) => {
      const blockId = seedOf(`block ${name}`);
      const vote = signVote({ kind: "commit", height, round: 0, blockId }, signer);
      return { ...vote, managerId: victim };
    });
    const [first, second] = votes;
    const value = votesEvidence(defined(first, "there are two"), defined(second, "there are two"));
    value.managerId = victim;
    node.say({ case: "evidence", value }, someOthers(this.#parts));
  }

  /** Long before its time, or of a suspension that never was, or of somebody else. */
  resume(): void {
    const { world, node, random, signer } = this.#parts;
    const head = node.store?.head;
    const managerId = random.pick([node.id, ...world.consortium.managerIds]);
    const suspended = head?.members.manager(managerId)?.changedHeight ?? 0;
    const suspendedHeight = random.chance(0.7) ? suspended : random.below(10);
    const heldHeight = random.chance(0.7) ? (head?.height ?? 0) : 1_000;
    const { consortiumId } = signer;
    const value = create(ResumeManagerSchema, {
      managerId,
      suspendedHeight: BigInt(suspendedHeight),
      heldHeight: BigInt(heldHeight),
      signature: signer.sign(resumeDigest({ consortiumId, suspendedHeight, heldHeight })),
    });
    node.say({ case: "resume", value }, someOthers(this.#parts));
  }

  /** A proof of a fork by nobody else. */
  fork(): void {
    const { node, signer } = this.#parts;
    const height = node.store?.head.height ?? 0;
    if (height === 0) return;
    const [first, second] = ["a", "b"].map((name) => {
      const blockId = seedOf(`block ${name}`);
      return buildCommit([signVote({ kind: "commit", height, round: 0, blockId }, signer)]);
    });
    const commits = {
      first: defined(first, "there are two"),
      second: defined(second, "there are two"),
    };
    node.say({ case: "fork", value: create(ForkProofSchema, commits) }, someOthers(this.#parts));
  }

  /** To a record that may keep every rule. */
  objection(submission: Submission): void {
    const { world, node, random, signer } = this.#parts;
    const { consortiumId, policy } = world.consortium.genesis;
    const parsed = parseSubmission(consortiumId, submission, policy);
    if (!parsed.ok) return;
    const record = random.pick(parsed.value.records);
    const { id: submissionId } = parsed.value;
    const objection = create(ObjectionSchema, {
      recordHash: record.hash,
      reason: random.pick(wrongReasons),
      height: BigInt((node.store?.head.height ?? 0) + random.below(2)),
    });
    const [count, root] = [1, objectionsRoot([objection])];
    const digest = objectionsDigest({ consortiumId, submissionId, count, root });
    const signature = { submissionId, managerId: node.id, signature: signer.sign(digest) };
    const value = create(SignedObjectionsSchema, { objections: [objection], signature });
    world.counters.count("byzantine false objection");
    node.object({ case: "objections", value }, someOthers(this.#parts));
  }

  /** Blocks or a body with something in them that is not so. */
  wrongAnswer(answer: VoteAnswer): VoteAnswer {
    if (answer.case === "body") {
      const block = answer.value.block && { ...answer.value.block, privateEntries: [] };
      return { case: "body", value: { ...answer.value, ...(block && { block }) } };
    }
    if (answer.case === "entries") {
      const entries = answer.value.entries.map((each) => ({ ...each, records: [] }));
      return { case: "entries", value: { ...answer.value, entries } };
    }
    if (answer.case !== "blocks") return answer;
    const blocks = answer.value.blocks.map((each) => {
      const { certificates } = each;
      if (certificates?.commit === undefined) return each;
      const commit = { ...certificates.commit, round: certificates.commit.round + 1 };
      return { ...each, certificates: { ...certificates, commit } };
    });
    return { case: "blocks", value: { ...answer.value, blocks } };
  }
}
