/** What is checked of messages after they are decoded, by their type. */
import { create, type Message, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { checkedBlock, checkedRecord, UntrueAnswer } from "../../src/client/verify/answers.js";
import {
  receiptFromJson,
  receiptToJson,
  verifyReceipt,
} from "../../src/client/verify/receipt-check.js";
import { isLockBundle } from "../../src/consensus/height/lock-certificate.js";
import type {
  Block,
  BlockCertificates,
  LockCertificate,
  ManagerBlock,
} from "../../src/gen/bss/v1/block_pb.js";
import type { Refusal, SignedObjections } from "../../src/gen/bss/v1/broadcast_pb.js";
import type { ControlOperation, Evidence, ResumeManager } from "../../src/gen/bss/v1/genesis_pb.js";
import type { BlockView, Receipt, RecordEntry } from "../../src/gen/bss/v1/query_pb.js";
import { type Submission, SubmissionHeaderSchema } from "../../src/gen/bss/v1/record_pb.js";
import type {
  Attestation,
  ForkProof,
  Proposal,
  SignedHead,
  Vote,
} from "../../src/gen/bss/v1/vote_pb.js";
import { parseBlock } from "../../src/ledger/blocks/block-parsing.js";
import { checkBlockCertificates } from "../../src/ledger/certificates/certificates.js";
import { checkEvidence } from "../../src/ledger/certificates/evidence.js";
import { checkForkProof } from "../../src/ledger/certificates/fork-proofs.js";
import { checkObjections } from "../../src/ledger/certificates/objections.js";
import {
  checkAttestation,
  checkHead,
  checkProposal,
  checkVote,
} from "../../src/ledger/certificates/votes.js";
import {
  checkResume,
  operationSignatureChecks,
} from "../../src/ledger/members/operation-signatures.js";
import { checkOperation } from "../../src/ledger/members/operations.js";
import { parseRecord } from "../../src/ledger/records/records.js";
import { parseSubmission, submissionDigest } from "../../src/ledger/records/submissions.js";
import { detailsTrailer, rpcErrorOf, rpcErrorOfRefusal } from "../../src/rpc/status-details.js";
import { consortiumId, genesis, policy } from "../unit/ledger/support/consortium.js";
import { forge } from "../unit/ledger/support/forge.js";
import { hashOf, sign } from "../unit/ledger/support/records.js";
import { chain, facts } from "./corpus.js";

const { members } = genesis;

type Check = (message: never) => void;

const checks: Readonly<Record<string, Check>> = {
  "bss.v1.Submission": (submission: Submission) => {
    parseSubmission(consortiumId, submission, policy);
    const { records } = submission;
    for (const bytes of records.slice(0, 10)) parseRecord(consortiumId, bytes, policy);
    parseSubmission(consortiumId, repaired(submission), policy);
  },
  "bss.v1.ManagerBlock": (block: ManagerBlock) => {
    chain.judge(block);
    const whole = whenPossible(() => forge(block, () => undefined));
    if (whole !== undefined) chain.judge(whole);
  },
  "bss.v1.Block": (block: Block) => void parseBlock(block),
  "bss.v1.BlockCertificates": (certificates: BlockCertificates) =>
    void checkBlockCertificates(certificates, facts, members, consortiumId),
  "bss.v1.LockCertificate": (certificate: LockCertificate) =>
    void isLockBundle(certificate, facts.height, members.quorum),
  "bss.v1.Proposal": (proposal: Proposal) => void checkProposal(proposal, members, consortiumId),
  "bss.v1.Vote": (vote: Vote) => void checkVote(vote, members, consortiumId),
  "bss.v1.Attestation": (attestation: Attestation) =>
    void checkAttestation(attestation, members, consortiumId),
  "bss.v1.SignedHead": (head: SignedHead) => void checkHead(head, members, consortiumId),
  "bss.v1.SignedObjections": (objections: SignedObjections) => {
    const checked = checkObjections(objections, members, consortiumId);
    if (checked.ok) checked.value.check();
  },
  "bss.v1.Evidence": (evidence: Evidence) =>
    void checkEvidence(evidence, members, consortiumId, facts.height),
  "bss.v1.ForkProof": (proof: ForkProof) => void checkForkProof(proof, members, consortiumId),
  "bss.v1.ResumeManager": (resume: ResumeManager) =>
    void checkResume(resume, members, consortiumId),
  "bss.v1.ControlOperation": (operation: ControlOperation) => {
    // Signatures are asked for only of what has a right shape, as in the block.
    if (checkOperation(operation, policy) !== undefined) return;
    operationSignatureChecks(operation, chain.head.members, consortiumId);
  },
  "bss.v1.BlockView": (view: BlockView) => unlessUntrue(() => checkedBlock(view)),
  "bss.v1.RecordEntry": (entry: RecordEntry) =>
    unlessUntrue(() => checkedRecord(entry, consortiumId)),
  "bss.v1.Receipt": (receipt: Receipt) => {
    verifyReceipt(receipt, { consortiumId, members });
    receiptFromJson(receiptToJson(receipt));
  },
  "bss.v1.Refusal": (refusal: Refusal) => void rpcErrorOfRefusal(refusal),
};

/** Runs the check of a message, and those of all messages in it. */
export function checkAll(value: unknown): void {
  if (Array.isArray(value)) for (const each of value.slice(0, 8)) checkAll(each);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  if ("$typeName" in value) checks[(value as Message).$typeName]?.(value as never);
  for (const each of Object.values(value)) if (typeof each === "object") checkAll(each);
}

/** The bytes as the details of a status, as a server may send them. */
export function checkStatus(bytes: Uint8Array): void {
  const metadata = new Metadata();
  metadata.set(detailsTrailer, Buffer.from(bytes));
  rpcErrorOf(Object.assign(new Error("failed"), { code: 3, details: "failed", metadata }));
}

/** With a header for the records as they are, signed by its participant. */
function repaired({ records }: Submission): Submission {
  const recordHashes = records.slice(0, 100).map(hashOf);
  const participantId = "participant-1";
  const parts = create(SubmissionHeaderSchema, { consortiumId, participantId, recordHashes });
  const header = toBinary(SubmissionHeaderSchema, parts);
  const signature = sign(participantId, submissionDigest(header));
  return { $typeName: "bss.v1.Submission", header, signature, records: records.slice(0, 100) };
}

/** What repairs a block decodes it without bounds, so it may fail where the check does not. */
function whenPossible<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

function unlessUntrue(check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof UntrueAnswer)) throw error;
  }
}
