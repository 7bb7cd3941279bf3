import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type CarryAttestations,
  ControlOperationSchema,
  type FailAudit,
  type SuspendStorageNode,
} from "../../../../src/gen/bss/v1/genesis_pb.js";
import { carriesAuthority, checkOperation } from "../../../../src/ledger/members/operations.js";
import { lateAttestationsMax } from "../../../../src/ledger/storage-nodes/storage-operations.js";
import { bytesOf, policy } from "../consortium.js";

type Operation = NonNullable<MessageInitShape<typeof ControlOperationSchema>["operation"]>;

const signature = new Uint8Array(64);
const short = new Uint8Array(63);
const audit = bytesOf("audit");
const claim = { managerId: "manager-1", height: 7n, signature };
const late = { nodeId: "a", audit, signature };
const mismatch = { hash2: bytesOf("root"), treeSize: 9n };
const finding = { managerId: "manager-1", signature };
const many = (count: number) => Array.from({ length: count }, (_, i) => String(1_000 + i));

const right = {
  retireStorageNode: { nodeId: "s", admittedHeight: 0n, operatorId: "", signature },
  suspendStorageNode: { nodeId: "s", claims: [claim, { ...claim, managerId: "manager-2" }] },
  returnStorageNode: { nodeId: "s", suspendedHeight: 7n, heldHeight: 7n, signature },
  carryAttestations: {
    height: 1n,
    round: 0,
    attestations: [late, { ...late, nodeId: "b", mismatch }],
  },
  failAudit: { nodeId: "s", height: 1n, findings: [finding] },
  recordPayout: {
    nodeId: "s",
    amount: 1n,
    paidBefore: 0n,
    reference: "",
    operatorId: "operator-1",
    signature,
  },
};
type Kind = keyof typeof right;

function check(kind: Kind, changes: object) {
  const operation = { case: kind, value: { ...right[kind], ...changes } } as Operation;
  return checkOperation(create(ControlOperationSchema, { operation }), policy);
}

describe("an operation about storage nodes", () => {
  for (const kind of Object.keys(right) as Kind[]) {
    test(`${kind} of the right shape is fine, and says who agreed to it`, () => {
      assert.equal(check(kind, {}), undefined);
      const operation = { case: kind, value: right[kind] } as Operation;
      assert.ok(carriesAuthority(create(ControlOperationSchema, { operation })));
    });
  }

  const fine: readonly [Kind, object][] = [
    ["retireStorageNode", { operatorId: "operator-1", admittedHeight: 2n ** 53n - 1n }],
    ["suspendStorageNode", { claims: [{ ...claim, height: 0n }] }],
    ["suspendStorageNode", { claims: many(34).map((managerId) => ({ ...claim, managerId })) }],
    ["failAudit", { findings: many(34).map((managerId) => ({ ...finding, managerId })) }],
    [
      "carryAttestations",
      { attestations: many(lateAttestationsMax).map((nodeId) => ({ ...late, nodeId })) },
    ],
    ["recordPayout", { reference: "🔋".repeat(64), amount: 2n ** 64n - 1n }],
  ];
  for (const [kind, changes] of fine) {
    test(`${kind} at a limit is fine: ${Object.keys(changes).join(", ")}`, () => {
      assert.equal(check(kind, changes), undefined);
    });
  }

  const lists = [
    ["suspendStorageNode", "claims", claim, "managerId", "suspend_storage_node.claims", 34],
    ["failAudit", "findings", finding, "managerId", "fail_audit.findings", 34],
    ["carryAttestations", "attestations", late, "nodeId", "carry_attestations.attestations", 1_000],
  ] as const;
  const inLists: readonly [Kind, object, string][] = lists.flatMap(
    ([kind, list, item, name, path, max]): [Kind, object, string][] => [
      [kind, { [list]: [] }, path],
      [kind, { [list]: many(max + 1).map((id) => ({ ...item, [name]: id })) }, path],
      [kind, { [list]: [{ ...item, [name]: "" }] }, `${path}[0]`],
      [kind, { [list]: [item, item] }, `${path}[1]`],
      [kind, { [list]: [item, { ...item, [name]: "1" }] }, `${path}[1]`],
      [kind, { [list]: [{ ...item, signature: short }] }, `${path}[0].signature`],
    ],
  );
  const wrong: readonly [Kind, object, string][] = [
    ...inLists,
    ["retireStorageNode", { nodeId: "" }, "retire_storage_node.node_id"],
    ["retireStorageNode", { admittedHeight: 2n ** 53n }, "retire_storage_node.admitted_height"],
    ["retireStorageNode", { operatorId: "A" }, "retire_storage_node.operator_id"],
    ["retireStorageNode", { signature: short }, "retire_storage_node.signature"],
    ["suspendStorageNode", { nodeId: "" }, "suspend_storage_node.node_id"],
    [
      "suspendStorageNode",
      { claims: [{ ...claim, height: 2n ** 53n }] },
      "suspend_storage_node.claims[0].height",
    ],
    ["returnStorageNode", { nodeId: "" }, "return_storage_node.node_id"],
    ["returnStorageNode", { suspendedHeight: 0n }, "return_storage_node.suspended_height"],
    ["returnStorageNode", { heldHeight: 6n }, "return_storage_node.held_height"],
    ["returnStorageNode", { signature: short }, "return_storage_node.signature"],
    ["carryAttestations", { height: 0n }, "carry_attestations.height"],
    ...(
      [
        [{ audit: new Uint8Array(31) }, "audit"],
        [{ mismatch: { ...mismatch, hash2: new Uint8Array() } }, "mismatch.hash2"],
        [{ mismatch: { ...mismatch, treeSize: 2n ** 53n } }, "mismatch.tree_size"],
      ] as const
    ).map(([changes, field]): [Kind, object, string] => [
      "carryAttestations",
      { attestations: [{ ...late, ...changes }] },
      `carry_attestations.attestations[0].${field}`,
    ]),
    ["failAudit", { nodeId: "" }, "fail_audit.node_id"],
    ["failAudit", { height: 0n }, "fail_audit.height"],
    ["recordPayout", { nodeId: "" }, "record_payout.node_id"],
    ["recordPayout", { amount: 0n }, "record_payout.amount"],
    ["recordPayout", { reference: "x".repeat(65) }, "record_payout.reference"],
    ["recordPayout", { reference: "two\nlines" }, "record_payout.reference"],
    ["recordPayout", { operatorId: "" }, "record_payout.operator_id"],
    ["recordPayout", { signature: short }, "record_payout.signature"],
  ];
  for (const [i, [kind, changes, field]] of wrong.entries()) {
    test(`${kind} with a wrong ${field} is refused: ${Object.keys(changes)} (${i})`, () => {
      const found = check(kind, changes);
      assert.deepEqual([found?.reason, found?.field], ["OPERATION_INVALID", field]);
    });
  }

  const places: readonly [Kind, (value: never) => object | undefined, string][] = [
    ["retireStorageNode", (value) => value, "retire_storage_node"],
    ["suspendStorageNode", (value) => value, "suspend_storage_node"],
    [
      "suspendStorageNode",
      ({ claims }: SuspendStorageNode) => claims[1],
      "suspend_storage_node.claims[1]",
    ],
    ["returnStorageNode", (value) => value, "return_storage_node"],
    ["carryAttestations", (value) => value, "carry_attestations"],
    [
      "carryAttestations",
      ({ attestations }: CarryAttestations) => attestations[0],
      "carry_attestations.attestations[0]",
    ],
    [
      "carryAttestations",
      ({ attestations }: CarryAttestations) => attestations[1]?.mismatch,
      "carry_attestations.attestations[1].mismatch",
    ],
    ["failAudit", (value) => value, "fail_audit"],
    ["failAudit", ({ findings }: FailAudit) => findings[0], "fail_audit.findings[0]"],
    ["recordPayout", (value) => value, "record_payout"],
  ];
  for (const [kind, at, field] of places) {
    test(`has no room for unknown fields in ${field}`, () => {
      const operation = { case: kind, value: right[kind] } as Operation;
      const message = create(ControlOperationSchema, { operation });
      const part = at(message.operation.value as never);
      assert.ok(part);
      Object.assign(part, { $unknown: [{ no: 99, wireType: 0, data: Uint8Array.of(1) }] });
      assert.equal(checkOperation(message, policy)?.field, field);
    });
  }
});
