/** Seven storage nodes and their rules, for tests of what blocks do to them. */
import { create } from "@bufbuild/protobuf";
import { type Policy, PolicySchema } from "../../../../src/gen/bss/v1/genesis_pb.js";
import type { StorageNode } from "../../../../src/ledger/members/member-lists.js";
import { Members } from "../../../../src/ledger/members/members.js";
import { policy as basePolicy, bytesOf, membersOf, signerOf } from "../consortium.js";
import { refusal } from "./outcome.js";
import { type OperationInit, type StepOptions, StorageBlocks } from "./storage-blocks.js";

export const policy = create(PolicySchema, {
  ...basePolicy,
  matchReward: 10n,
  storageReward: 0n,
  auditsPerBlock: 7,
  unreachableAfterMs: 1_000,
  resumeWaitMs: 5_000,
  resumeWaitMaxMs: 60_000,
});
/** What nobody verifies here. */
export const signature = new Uint8Array(64);
export const nodeIds = Array.from({ length: 7 }, (_, i) => `storage-${i + 1}`);

function operatorOf(managerId: string, officerId: string) {
  const keys = { signingKey: signerOf(officerId).publicKey, tlsSpkiSha256: bytesOf(officerId) };
  return { officerId, role: "operator" as const, managerId, ...keys };
}

/** Seven storage nodes, sponsored in turn by four managers; `changes` are of the first one. */
export function blocksOf(
  changes: Partial<StorageNode> = {},
  rules: Policy = policy,
): StorageBlocks {
  const { managers, storageNodes } = membersOf({ managers: 4, storage: 7 });
  const officers = [1, 2].map((i) => operatorOf(`manager-${i}`, `operator-${i}`));
  const nodes = storageNodes.map((each) =>
    each.nodeId === "storage-1" ? { ...each, ...changes } : each,
  );
  return new StorageBlocks(new Members({ managers, storageNodes: nodes, officers }), rules);
}

/** Where a block with this operation alone is refused. */
export function refusedAt(
  blocks: StorageBlocks,
  operation: OperationInit,
  options: StepOptions = {},
) {
  return refusal(blocks.try({ ...options, operations: [operation] })).field;
}

export const nobody = () => false;
