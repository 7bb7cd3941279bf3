/** Messages of a small consortium that every check accepts, for the fuzzer to start from. */
import { create, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { defined } from "../../src/base/assert.js";
import { type BlockCertificates, BlockCertificatesSchema } from "../../src/gen/bss/v1/block_pb.js";
import { BroadcastRequestSchema, SubmitRequestSchema } from "../../src/gen/bss/v1/broadcast_pb.js";
import { type ControlOperation, EvidenceSchema } from "../../src/gen/bss/v1/genesis_pb.js";
import { GetBlockResponseSchema } from "../../src/gen/bss/v1/query_pb.js";
import {
  VerifyIntegrityRequestSchema,
  VerifyIntegrityResponseSchema,
} from "../../src/gen/bss/v1/verify_integrity_pb.js";
import {
  ForkProofSchema,
  VoteRequestSchema,
  VoteResponseSchema,
} from "../../src/gen/bss/v1/vote_pb.js";
import { proposalsEvidence, votesEvidence } from "../../src/ledger/certificates/evidence.js";
import { Chain, certify } from "../unit/ledger/support/chain.js";
import { admissionOf, registrationOf } from "../unit/ledger/support/invitations.js";
import {
  documentBytes,
  profileBytes,
  readingBytes,
  sessionBytes,
  submissionOf,
  submitted,
  tradeBytes,
} from "../unit/ledger/support/records.js";
import { approveOf, commitOf, proposalOf, resume } from "../unit/ledger/support/statements.js";
import {
  failAudit,
  payOut,
  retireNode,
  suspendNode,
  takeBack,
} from "../unit/ledger/support/storage-statements.js";

export type Sample = { readonly schema: DescMessage; readonly bytes: Uint8Array };

const records = [readingBytes(), tradeBytes(), documentBytes(), sessionBytes(), profileBytes()];

/** A chain with one block; the samples are about the next. */
export const chain = new Chain();
chain.extend({ candidates: [submitted([documentBytes()])] });
const built = chain.propose({
  control: [admissionOf("storage-9"), registrationOf("participant-9")],
  candidates: [submitted([records[0] ?? new Uint8Array(), records[2] ?? new Uint8Array()])],
});
export const facts = built.executed.facts;
const certificates: BlockCertificates = certify(facts);
const block = defined(built.block.block, "a block has a public part");

const operations: readonly ControlOperation[] = [
  ...[admissionOf("storage-9"), registrationOf("participant-9"), resume("manager-2", 3, 5)],
  ...[suspendNode("storage-1", 7), takeBack("storage-1", 7, 9), failAudit("storage-1", 7)],
  ...[retireNode("storage-1"), payOut("storage-1", 5n, 0n, "operator-1")],
];

function sample<M extends Message>(schema: DescMessage, message: M): Sample {
  return { schema, bytes: toBinary(schema, message) };
}

function vote(message: object): Sample {
  return sample(VoteRequestSchema, create(VoteRequestSchema, { message } as never));
}

const fork = create(ForkProofSchema, {
  ...(certificates.commit && { first: certificates.commit, second: certificates.commit }),
});
const evidence = [
  votesEvidence(commitOf({ block: "a" }), commitOf({ block: "b" })),
  proposalsEvidence(proposalOf({ block: "a" }), proposalOf({ block: "b" })),
];
const lockCertificate = { approval: certificates.approval, integrity: certificates.integrity };
const blockView = {
  height: BigInt(facts.height),
  blockId: facts.blockId,
  block,
  certificates,
};

export const samples: readonly Sample[] = [
  ...[records, records.slice(0, 1)].map((some) =>
    sample(SubmitRequestSchema, create(SubmitRequestSchema, { submission: submissionOf(some) })),
  ),
  sample(
    BroadcastRequestSchema,
    create(BroadcastRequestSchema, {
      message: { case: "submission", value: submissionOf(records) },
    }),
  ),
  vote({ case: "proposal", value: { ...proposalOf({ block: "a" }), block: built.block } }),
  vote({ case: "vote", value: commitOf({ block: "a" }) }),
  vote({ case: "vote", value: approveOf({ block: "a" }) }),
  vote({ case: "lockCertificate", value: lockCertificate }),
  vote({ case: "fork", value: fork }),
  ...evidence.map((value) => vote({ case: "evidence", value })),
  ...evidence.map((value) => sample(EvidenceSchema, value)),
  ...operations.map((value) => vote({ case: "operation", value })),
  sample(
    VoteResponseSchema,
    create(VoteResponseSchema, { message: { case: "body", value: { block: built.block } } }),
  ),
  sample(
    VoteResponseSchema,
    create(VoteResponseSchema, {
      message: { case: "blocks", value: { blocks: [{ block: built.block, certificates }] } },
    }),
  ),
  sample(
    VerifyIntegrityRequestSchema,
    create(VerifyIntegrityRequestSchema, { message: { case: "fork", value: fork } }),
  ),
  sample(
    VerifyIntegrityResponseSchema,
    create(VerifyIntegrityResponseSchema, {
      message: { case: "commit", value: { certificates, block: { block, certificates } } },
    }),
  ),
  sample(GetBlockResponseSchema, create(GetBlockResponseSchema, { block: blockView })),
  sample(BlockCertificatesSchema, certificates),
];
