/** `bss storage`: the storage nodes, their standing, why it is what it is, and what they earned. */
import type { Command } from "commander";
import { StorageSuspension } from "../../gen/bss/v1/members_pb.js";
import { MemberState, type StorageNodeStatus } from "../../gen/bss/v1/query_pb.js";
import { withClient } from "../client-session.js";
import { addProfileOption } from "../members/profile.js";
import { addPayout, addRetire } from "../storage/operator-commands.js";
import { addStatement } from "../storage/statement.js";
import { type Column, table } from "../text/output.js";

const columns: readonly Column[] = [
  { title: "NODE" },
  { title: "STATE" },
  { title: "CONNECTED" },
  { title: "CREDIT", align: "right" },
  { title: "REWARD", align: "right" },
  { title: "PAID", align: "right" },
  { title: "LAST ATTESTED", align: "right" },
  { title: "SPONSOR" },
];

export function register(program: Command): void {
  const storage = program
    .command("storage")
    .summary("storage nodes: standing, statements, payouts");
  const command = storage
    .command("list")
    .summary("list storage nodes with credit and reward")
    .description(
      "Lists the storage nodes with their state, credit, reward, and the height of their last " +
        "attestation. Whether one is connected is what the manager that answers sees.",
    )
    .action((_options: object, self: Command) =>
      withClient(self, async (client, output) => {
        const nodes: StorageNodeStatus[] = [];
        for await (const node of client.listStorageNodes()) {
          nodes.push(node);
          if (output.json) output.result(jsonOf(node), String);
        }
        output.lines(nodes.length === 0 ? "no storage nodes" : table(columns, nodes.map(rowOf)));
      }),
    );
  addProfileOption(command);
  addStatement(storage);
  addPayout(storage);
  addRetire(storage);
}

function stateOf({ state, suspension }: StorageNodeStatus): string {
  if (state === MemberState.ACTIVE) return "active";
  return suspensions[suspension] ?? "suspended";
}

const suspensions: Partial<Record<StorageSuspension, string>> = {
  [StorageSuspension.UNREACHABLE]: "unreachable",
  [StorageSuspension.BOYCOTTED]: "boycotted",
  [StorageSuspension.RETIRED]: "retired",
};

function rowOf(node: StorageNodeStatus) {
  const attested = node.lastAttestedHeight === 0n ? undefined : node.lastAttestedHeight;
  const connected = node.connected ? "yes" : "no";
  return [
    ...[node.nodeId, stateOf(node), connected, node.credit, node.reward, node.paid, attested],
    node.sponsorId,
  ];
}

function jsonOf(node: StorageNodeStatus): object {
  return {
    node_id: node.nodeId,
    state: stateOf(node),
    connected: node.connected,
    credit: node.credit,
    reward: node.reward,
    paid: node.paid,
    sponsor_id: node.sponsorId,
    eligible: node.eligible,
    audit_failed: node.auditFailed,
    halted: node.halted,
    last_attested_height: Number(node.lastAttestedHeight),
  };
}
