/** Signed operations about storage nodes, right unless a test says otherwise. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { defined } from "../../../../src/base/assert.js";
import {
  type ControlOperation,
  ControlOperationSchema,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { AttestationVerdict } from "../../../../src/gen/bss/v1/vote_pb.js";
import {
  attestationDigest,
  findingDigest,
  payoutDigest,
  retirementDigest,
  returnDigest,
  unreachableDigest,
} from "../../../../src/ledger/certificates/vote-digests.js";
import type { OpenCommittee } from "../../../../src/ledger/members/member-lists.js";
import { consortiumId } from "./consortium.js";
import { seedOf, sign } from "./records.js";

type Operation = NonNullable<MessageInitShape<typeof ControlOperationSchema>["operation"]>;

/** f+1 of four managers. */
export const witnesses = ["manager-1", "manager-2"] as const;

/** What a node signs in the place of an audit digest. */
export function auditOf(nodeId: string): Uint8Array {
  return seedOf(`audit of ${nodeId}`);
}

/** Claims of `height`, or of one height for each witness. */
export function suspendNode(
  nodeId: string,
  height: number | readonly number[],
  managerIds: readonly string[] = witnesses,
): ControlOperation {
  const claims = managerIds.map((managerId, i) => {
    const at = typeof height === "number" ? height : defined(height[i], "one for each witness");
    const digest = unreachableDigest({ consortiumId, nodeId, height: at });
    return { managerId, height: BigInt(at), signature: sign(managerId, digest) };
  });
  return operation({ case: "suspendStorageNode", value: { nodeId, claims } });
}

export function takeBack(nodeId: string, suspendedHeight: number, heldHeight: number) {
  const digest = returnDigest({ consortiumId, nodeId, suspendedHeight, heldHeight });
  const value = {
    nodeId,
    signature: sign(nodeId, digest),
    suspendedHeight: BigInt(suspendedHeight),
    heldHeight: BigInt(heldHeight),
  };
  return operation({ case: "returnStorageNode", value });
}

/** Late attestations of MATCH by some, of another root by others; sorted. */
export function carry(
  { height, round, blockId, hash1, treeSize }: Omit<OpenCommittee, "missing" | "audited">,
  by: { readonly matches?: readonly string[]; readonly mismatches?: readonly string[] },
): ControlOperation {
  const { matches = [], mismatches = [] } = by;
  const attestations = [...matches, ...mismatches].sort().map((nodeId) => {
    const isMatch = matches.includes(nodeId);
    const audit = auditOf(nodeId);
    const hash2 = isMatch ? hash1 : seedOf("another root");
    const verdict = isMatch ? AttestationVerdict.MATCH : AttestationVerdict.MISMATCH;
    const claim = { consortiumId, height, round, blockId, hash2, treeSize, verdict, audit };
    return {
      nodeId,
      audit,
      signature: sign(nodeId, attestationDigest(claim)),
      ...(isMatch ? {} : { mismatch: { hash2, treeSize: BigInt(treeSize) } }),
    };
  });
  const value = { height: BigInt(height), round, attestations };
  return operation({ case: "carryAttestations", value });
}

export function failAudit(
  nodeId: string,
  height: number,
  managerIds: readonly string[] = witnesses,
): ControlOperation {
  const digest = findingDigest({ consortiumId, nodeId, height, audit: auditOf(nodeId) });
  const findings = managerIds.map((managerId) => {
    return { managerId, signature: sign(managerId, digest) };
  });
  return operation({ case: "failAudit", value: { nodeId, height: BigInt(height), findings } });
}

/** By the node itself, unless an operator is named. */
export function retireNode(nodeId: string, admittedHeight = 0, operatorId = ""): ControlOperation {
  const digest = retirementDigest({ consortiumId, nodeId, admittedHeight });
  const signature = sign(operatorId === "" ? nodeId : operatorId, digest);
  const value = { nodeId, admittedHeight: BigInt(admittedHeight), operatorId, signature };
  return operation({ case: "retireStorageNode", value });
}

export function payOut(
  nodeId: string,
  amount: bigint,
  paidBefore: bigint,
  operatorId: string,
): ControlOperation {
  const paid = { nodeId, amount, paidBefore, reference: "transfer 7" };
  const signature = sign(operatorId, payoutDigest({ consortiumId, ...paid }));
  return operation({ case: "recordPayout", value: { ...paid, operatorId, signature } });
}

function operation(value: Operation): ControlOperation {
  return create(ControlOperationSchema, { operation: value });
}
