/**
 * Checking a block: every rule that all managers decide alike, because it depends on the chain
 * alone. What depends on the clock or on what this manager has seen (the timestamp's lead,
 * whether those whom it suspends are absent) is for the caller.
 *
 * A block comes here parsed (manager-blocks.ts) and with its content (block-content.ts), so its
 * parts fit each other. Here it is compared with the head: its links, its turn, its beacon, the
 * certificates of the block before. Then the content is executed, and sealed here if it has not
 * been sealed here before, so that nothing is believed that the proposer computed.
 */
import { defined } from "../../base/assert.js";
import { equalBytes } from "../../base/bytes.js";
import { err, ok, type Result } from "../../base/result.js";
import { vrfVerify } from "../../crypto/vrf.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { checkBlockCertificates } from "../certificates/certificates.js";
import type { SignatureCheck } from "../certificates/signature-check.js";
import { operationSignatureChecks } from "../members/operation-signatures.js";
import { recordSignatureChecks, submissionSignatureCheck } from "../records/signatures.js";
import type { LedgerHead } from "../state/head.js";
import type { StateView } from "../state/state.js";
import { type Violation, violation } from "../violation.js";
import { at, type BlockContent } from "./block-content.js";
import { beaconInput } from "./block-hashes.js";
import { inHeader, linkProblem } from "./block-parsing.js";
import {
  type BlockOutcome,
  concludeExecution,
  type ExecutedBlock,
  executedBlock,
  storageSuffices,
} from "./executed-block.js";
import { BlockExecution } from "./execution.js";
import { type KnownWork, nothingKnown } from "./known-work.js";
import type { ParsedManagerBlock } from "./manager-blocks.js";

type ValidationOptions = {
  /** The block is to extend this one. */
  readonly head: LedgerHead;
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  readonly policy: Policy;
  readonly parsed: ParsedManagerBlock;
  /** Of `parsed`, by `parseContent`. */
  readonly content: BlockContent;
  /** The state after the head, with all of `content.readKeys`. */
  readonly state: StateView;
  /** 32 bytes. */
  readonly epochKey: Uint8Array;
  /** What has been sealed under it before. */
  readonly known?: KnownWork;
  /** `vrfVerify`, unless a simulation brings a cheaper scheme of its own. */
  readonly verifyBeacon?: typeof vrfVerify;
};

export type ValidBlock = {
  readonly executed: ExecutedBlock;
  /** The block is right provided that all of these verify. */
  readonly signatures: readonly SignatureCheck[];
};

/**
 * Checks a block by all deterministic rules. The first violation is the result; the field names its
 * place in the block.
 */
export function validateBlock(options: ValidationOptions): Result<ValidBlock, Violation> {
  const { head, policy, parsed, epochKey, known = nothingKnown } = options;
  const misplaced =
    checkLinks(options) ?? checkTurn(options) ?? checkStorage(options) ?? checkBeacon(options);
  if (misplaced !== undefined) return err(misplaced);
  const certified = checkPrevious(options);
  if (!certified.ok) return certified;
  const execution = new BlockExecution({
    state: options.state,
    policy,
    members: head.members,
    height: parsed.height,
    timestampMs: parsed.timestampMs,
    firstPosition: head.frontier.size,
    start: {
      beacon: parsed.header.beacon,
      previousTimestampMs: head.timestampMs,
      previous: head.facts && {
        facts: head.facts,
        integrity: parsed.previousCertificates?.integrity,
      },
    },
  });
  const content = execute(execution, options);
  if (!content.ok) return content;
  const outcome = concludeExecution(execution, head, { epochKey, known });
  const different = compareOutcome(outcome, parsed);
  if (different !== undefined) return err(different);
  const { blockId, createdRound, proposerId, timestampMs, header } = parsed;
  const identity = { blockId, createdRound, proposerId, timestampMs, beacon: header.beacon };
  return ok({
    executed: executedBlock(outcome, head, identity, policy),
    signatures: [...certified.value, ...content.value],
  });
}

function checkLinks({ head, consortiumId, parsed }: ValidationOptions): Violation | undefined {
  const unlinked = linkProblem(parsed, head, consortiumId);
  if (unlinked !== undefined) return unlinked;
  if (equalBytes(parsed.header.previousStateDigest, head.stateDigest)) return undefined;
  const message = "The state after the previous block has another digest.";
  return inHeader("BLOCK_DIGEST_MISMATCH", message, "previous_state_digest");
}

function checkTurn({ head, parsed }: ValidationOptions): Violation | undefined {
  const { height, createdRound, proposerId, timestampMs } = parsed;
  const proposer = head.members.proposer(height, createdRound);
  if (proposerId !== proposer) {
    const message = `It is the turn of ${proposer}, not of ${proposerId}.`;
    return inHeader("BLOCK_WRONG_PROPOSER", message, "proposer_id");
  }
  if (timestampMs > head.timestampMs) return undefined;
  const message = `The block's time ${timestampMs} is not after its parent's, ${head.timestampMs}.`;
  return inHeader("BLOCK_TIME_INVALID", message, "timestamp_unix_ms");
}

function checkStorage({ head, parsed, policy }: ValidationOptions): Violation | undefined {
  if (parsed.leaves.length === 0 || storageSuffices(head.members, policy)) return undefined;
  const eligible = head.members.eligibleStorageNodes(policy).length;
  const message = `Only ${eligible} storage nodes are eligible: a block may add no records.`;
  return violation("STORAGE_TOO_FEW", message, "leaves");
}

function checkBeacon(options: ValidationOptions): Violation | undefined {
  const { head, consortiumId, parsed, verifyBeacon = vrfVerify } = options;
  const { header, height, proposerId } = parsed;
  const proposer = defined(head.members.manager(proposerId), "whose turn it is, is a manager");
  const input = beaconInput({ consortiumId, height, previousBeacon: head.beacon });
  const beacon = verifyBeacon(proposer.vrfKey, input, header.beaconProof);
  if (beacon === undefined) {
    const message = `The proof is not ${proposerId}'s for this height.`;
    return inHeader("BLOCK_BEACON_INVALID", message, "beacon_proof");
  }
  if (equalBytes(beacon, header.beacon)) return undefined;
  const message = "The beacon is not the output of its proof.";
  return inHeader("BLOCK_BEACON_INVALID", message, "beacon");
}

function checkPrevious({
  head,
  consortiumId,
  parsed,
}: ValidationOptions): Result<readonly SignatureCheck[], Violation> {
  const { facts, electorate } = head;
  if (facts === undefined) return ok([]);
  const certificates = defined(
    parsed.previousCertificates,
    "a parsed block above height 1 carries certificates",
  );
  const checks = checkBlockCertificates(certificates, facts, electorate, consortiumId);
  return checks.ok ? checks : at("previous_certificates", checks.error);
}

/**
 * Executes operations and records in the block's order; returns the signatures on which they rest.
 */
function execute(
  execution: BlockExecution,
  { head, parsed, content, consortiumId }: ValidationOptions,
): Result<readonly SignatureCheck[], Violation> {
  const signatures: SignatureCheck[] = [];
  for (const [i, operation] of parsed.control.entries()) {
    const refused = execution.tryOperation(operation);
    if (refused !== undefined) return at(`control[${i}]`, refused);
    signatures.push(...operationSignatureChecks(operation, head.members, consortiumId));
  }
  const signed = new Set<string>();
  for (const [i, entry] of content.entries.entries()) {
    // A submission may stand in several entries; its signature is the same.
    if (!signed.has(entry.idHex)) {
      const check = submissionSignatureCheck(entry, execution.tables);
      if (!check.ok) return at(`private_entries[${i}]`, check.error);
      signatures.push(check.value);
      signed.add(entry.idHex);
    }
    for (const [place, record] of entry.records.entries()) {
      const path = `records[${entry.firstLeaf + place}]`;
      const broken = execution.tryRecord(record, entry);
      if (broken !== undefined) return at(path, broken);
      const inside = recordSignatureChecks(record, consortiumId, execution.tables);
      if (!inside.ok) return at(path, inside.error);
      signatures.push(...inside.value);
    }
  }
  return ok(signatures);
}

function compareOutcome(outcome: BlockOutcome, parsed: ParsedManagerBlock): Violation | undefined {
  for (const [i, leaf] of outcome.leaves.entries()) {
    const claimed = defined(parsed.leaves[i], "a block has a leaf for each record");
    if (equalBytes(leaf.sealDigest, claimed.sealDigest)) continue;
    const message = "The record, sealed under the epoch key, has another digest.";
    return violation("BLOCK_SEAL_MISMATCH", message, `leaves[${i}].seal_digest`);
  }
  const { header } = parsed;
  if (parsed.treeSize !== outcome.frontier.size) {
    const message = `The tree has ${outcome.frontier.size} leaves after the block.`;
    return inHeader("BLOCK_ROOT_MISMATCH", message, "tree_size");
  }
  if (!equalBytes(header.hash1, outcome.hash1)) {
    return inHeader("BLOCK_ROOT_MISMATCH", "The root after the block is another one.", "hash1");
  }
  if (header.sealedBytes !== BigInt(outcome.sealedBytes)) {
    const message = `The sealed records have ${outcome.sealedBytes} bytes after the block.`;
    return inHeader("BLOCK_DIGEST_MISMATCH", message, "sealed_bytes");
  }
  if (equalBytes(header.membersDigest, outcome.members.digest())) return undefined;
  const message = "The members after the block have another digest.";
  return inHeader("BLOCK_DIGEST_MISMATCH", message, "members_digest");
}
