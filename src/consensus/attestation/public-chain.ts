/**
 * The public chain as anybody can follow it who has genesis: blocks without records or sealed data,
 * each checked as a storage node checks a final block, but for the sealed records, which it does
 * not have.
 *
 * A reader computes by itself, and so need not believe the sender: who the members are, which
 * committees were drawn, and the credit and reward of each storage node.
 */
import { err, ok, type Result } from "../../base/result.js";
import type { BlockCertificates } from "../../gen/bss/v1/block_pb.js";
import type { ParsedBlock } from "../../ledger/blocks/block-parsing.js";
import { checkBlockCertificates } from "../../ledger/certificates/certificates.js";
import type { SignatureCheck } from "../../ledger/certificates/signature-check.js";
import type { StandingChange } from "../../ledger/storage-nodes/credit.js";
import type { StorageHead } from "../../ledger/storage-nodes/storage-head.js";
import type { Violation } from "../../ledger/violation.js";
import {
  extendLog,
  headAfter,
  membersAfter,
  operationSignatures,
  publicFacts,
  publicLinkProblem,
  rootProblem,
  type StorageContext,
  settledSignatures,
} from "./public-block.js";

type FollowedBlock = {
  /** If all of them verify, the block is final, and what it says of the one before is true. */
  readonly signatures: readonly SignatureCheck[];
  /** After the block. */
  readonly head: StorageHead;
};

/**
 * The chain with the next block. An error says what the block or its certificates lack. `onChange`
 * is told of each change of a storage node's standing by the block.
 */
export function followBlock(
  block: ParsedBlock,
  certificates: BlockCertificates,
  context: StorageContext,
  onChange?: (change: StandingChange) => void,
): Result<FollowedBlock, Violation> {
  const { head, consortiumId } = context;
  const log = extendLog(block, head);
  const wrong = publicLinkProblem(block, context) ?? rootProblem(block, log);
  if (wrong !== undefined) return err(wrong);
  const settled = settledSignatures(block, context);
  if (!settled.ok) return settled;
  const members = membersAfter(block, context, onChange);
  if (!members.ok) return members;
  const facts = publicFacts(block, context, members.value);
  const certified = checkBlockCertificates(certificates, facts, head.members, consortiumId);
  if (!certified.ok) return certified;
  return ok({
    signatures: [...certified.value, ...settled.value, ...operationSignatures(block, context)],
    head: headAfter(block, head, { log, members: members.value, facts }).head,
  });
}
