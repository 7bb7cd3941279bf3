/**
 * The shape of control operations about storage nodes: what can be checked without knowing the
 * members. Whether an operation fits is checked by the members' draft, and who signed it by
 * operation-signatures.ts.
 *
 * Lists are sorted and name nobody twice, so that each statement has one form only.
 */
import type { Message } from "@bufbuild/protobuf";
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import { hashBytes } from "../../crypto/hash.js";
import type {
  CarryAttestations,
  ControlOperation,
  FailAudit,
  LateAttestation,
  RecordPayout,
  RetireStorageNode,
  ReturnStorageNode,
  SuspendStorageNode,
} from "../../gen/bss/v1/genesis_pb.js";
import { isId } from "../ids.js";
import { faultsMaxOf, managersMax } from "../members/member-lists.js";
import { invalidOperation, type Violation } from "../violation.js";
import { hasUnknownFields, safeInteger } from "../wire.js";

/** Late attestations that all operations of one block may carry. */
export const lateAttestationsMax = 1_000;
/** Characters of a payout's reference. */
const payoutReferenceMax = 64;

/** Managers that make a claim or finding, in the largest consortium. */
const witnessesMax = faultsMaxOf(managersMax) + 1;

/**
 * Checks an operation about storage nodes by itself: OPERATION_INVALID, or undefined when it is
 * well formed, and for every other operation.
 */
export function storageOperationProblem({ operation }: ControlOperation): Violation | undefined {
  const { case: kind, value } = operation;
  switch (kind) {
    case "retireStorageNode":
      return retirementProblem(value);
    case "suspendStorageNode":
      return suspensionProblem(value);
    case "returnStorageNode":
      return returnProblem(value);
    case "carryAttestations":
      return attestationsProblem(value);
    case "failAudit":
      return findingsProblem(value);
    case "recordPayout":
      return payoutProblem(value);
    default:
      return undefined;
  }
}

/** Checks the statement that a node leaves, or is sent away. */
function retirementProblem(retirement: RetireStorageNode): Violation | undefined {
  const path = "retire_storage_node";
  const { nodeId, admittedHeight, operatorId, signature } = retirement;
  if (!isId(nodeId)) return invalidOperation("The value is not an id.", `${path}.node_id`);
  if (safeInteger(admittedHeight) === undefined) {
    return invalidOperation("The value is not a height.", `${path}.admitted_height`);
  }
  if (operatorId !== "" && !isId(operatorId))
    return invalidOperation("The value is not an id.", `${path}.operator_id`);
  return wireProblem(retirement, path) ?? signatureProblem(signature, path);
}

/** Checks a storage node's statement that it is back. */
function returnProblem(statement: ReturnStorageNode): Violation | undefined {
  const path = "return_storage_node";
  const { nodeId, suspendedHeight, heldHeight, signature } = statement;
  if (!isId(nodeId)) return invalidOperation("The value is not an id.", `${path}.node_id`);
  const suspended = safeInteger(suspendedHeight, 1);
  if (suspended === undefined)
    return invalidOperation("The value is not a height.", `${path}.suspended_height`);
  if (safeInteger(heldHeight, suspended) === undefined) {
    return invalidOperation(
      "The height is before the block that suspended the node.",
      `${path}.held_height`,
    );
  }
  return wireProblem(statement, path) ?? signatureProblem(signature, path);
}

/** Checks a payout by itself; the members' draft checks that so much is due. */
function payoutProblem(payout: RecordPayout): Violation | undefined {
  const path = "record_payout";
  const { nodeId, amount, reference, operatorId, signature } = payout;
  if (!isId(nodeId)) return invalidOperation("The value is not an id.", `${path}.node_id`);
  if (amount < 1n) return invalidOperation("The amount is 0.", `${path}.amount`);
  if ([...reference].length > payoutReferenceMax || /\p{Cc}/u.test(reference)) {
    const message = `The reference is not one line of at most ${payoutReferenceMax} characters.`;
    return invalidOperation(message, `${path}.reference`);
  }
  if (!isId(operatorId)) return invalidOperation("The value is not an id.", `${path}.operator_id`);
  return wireProblem(payout, path) ?? signatureProblem(signature, path);
}

function suspensionProblem(suspension: SuspendStorageNode): Violation | undefined {
  const path = "suspend_storage_node";
  if (!isId(suspension.nodeId))
    return invalidOperation("The value is not an id.", `${path}.node_id`);
  return (
    wireProblem(suspension, path) ??
    listProblem(suspension.claims, "managerId", witnessesMax, `${path}.claims`, (claim, at) =>
      safeInteger(claim.height) === undefined
        ? invalidOperation("The value is not a height.", `${at}.height`)
        : signatureProblem(claim.signature, at),
    )
  );
}

function attestationsProblem(carried: CarryAttestations): Violation | undefined {
  const path = "carry_attestations";
  const { height, attestations } = carried;
  if (safeInteger(height, 1) === undefined)
    return invalidOperation("The value is not a height.", `${path}.height`);
  const at = `${path}.attestations`;
  return (
    wireProblem(carried, path) ??
    listProblem(attestations, "nodeId", lateAttestationsMax, at, lateProblem)
  );
}

function lateProblem(
  { audit, signature, mismatch }: LateAttestation,
  path: string,
): Violation | undefined {
  if (audit.length !== hashBytes)
    return invalidOperation("The value is not an audit digest.", `${path}.audit`);
  if (mismatch !== undefined) {
    const at = `${path}.mismatch`;
    if (hasUnknownFields(mismatch)) return invalidOperation("There are unknown fields.", at);
    if (mismatch.hash2.length !== hashBytes)
      return invalidOperation("The value is not a root.", `${at}.hash2`);
    if (safeInteger(mismatch.treeSize) === undefined) {
      return invalidOperation("The value is not a tree size.", `${at}.tree_size`);
    }
  }
  return signatureProblem(signature, path);
}

function findingsProblem(failure: FailAudit): Violation | undefined {
  const path = "fail_audit";
  const { nodeId, height, findings } = failure;
  if (!isId(nodeId)) return invalidOperation("The value is not an id.", `${path}.node_id`);
  if (safeInteger(height, 1) === undefined)
    return invalidOperation("The value is not a height.", `${path}.height`);
  return (
    wireProblem(failure, path) ??
    listProblem(findings, "managerId", witnessesMax, `${path}.findings`, (finding, at) =>
      signatureProblem(finding.signature, at),
    )
  );
}

/** Checks each item, and that their ids ascend: so nobody is named twice. */
function listProblem<Name extends string, Item extends Message & Readonly<Record<Name, string>>>(
  items: readonly Item[],
  name: Name,
  max: number,
  path: string,
  check: (item: Item, path: string) => Violation | undefined,
): Violation | undefined {
  if (items.length < 1 || items.length > max)
    return invalidOperation(`There are not 1 to ${max} entries.`, path);
  let before = "";
  for (const [i, item] of items.entries()) {
    const at = `${path}[${i}]`;
    const id = item[name];
    if (!isId(id)) return invalidOperation("The value is not an id.", at);
    if (id <= before) return invalidOperation("The ids are not in ascending order.", at);
    before = id;
    const problem = wireProblem(item, at) ?? check(item, at);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function wireProblem(message: Message, path: string): Violation | undefined {
  return hasUnknownFields(message)
    ? invalidOperation("There are unknown fields.", path)
    : undefined;
}

function signatureProblem(signature: Uint8Array, path: string): Violation | undefined {
  if (signature.length === ed25519SignatureBytes) return undefined;
  return invalidOperation("A signature has 64 bytes.", `${path}.signature`);
}
