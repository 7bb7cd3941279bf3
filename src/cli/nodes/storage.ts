/**
 * `bss storage`: the storage nodes with their standing, and what an operator states about its own:
 * a payout, a retirement.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { BssClient } from "../../client/bss-client.js";
import { mayRepeat } from "../../client/manager-connections.js";
import { StorageSuspension } from "../../gen/bss/v1/members_pb.js";
import { MemberState, type StorageNodeStatus } from "../../gen/bss/v1/query_pb.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { addProfileOption, withClient } from "../client-session.js";
import { CliError } from "../text/cli-error.js";
import { type Column, table } from "../text/output.js";
import { cliErrorOf } from "../text/rpc-advice.js";
import { addStatement } from "./storage-statement.js";

const referenceCharactersMax = 64;

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
    .summary("show storage nodes, and record payouts and retirements");
  addList(storage);
  addStatement(storage);
  addPayout(storage);
  addRetire(storage);
}

function addList(storage: Command): void {
  const command = storage
    .command("list")
    .summary("list storage nodes with credit and reward")
    .description(
      "Lists the storage nodes with their state, credit, reward, and the height of their last " +
        "attestation. CONNECTED says whether the manager that answers is connected to the node. " +
        "A node beyond its sponsor's share is in no committee until other managers sponsor more.",
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

/** For people: also whether an active node counts for committees. */
export function stateText(node: StorageNodeStatus): string {
  const isBeyond = node.state === MemberState.ACTIVE && !node.eligible;
  return isBeyond ? "active, beyond its sponsor's share" : stateOf(node);
}

function rowOf(node: StorageNodeStatus) {
  const attested = node.lastAttestedHeight === 0n ? undefined : node.lastAttestedHeight;
  const connected = node.connected ? "yes" : "no";
  return [
    ...[node.nodeId, stateText(node), connected, node.credit, node.reward, node.paid, attested],
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

function addPayout(storage: Command): void {
  const command = storage
    .command("payout")
    .argument("<node>", "a storage node's id")
    .summary("record that a node was paid, as an operator of its sponsor")
    .description(
      "Records on the chain that a storage node was paid reward units. The payment itself is " +
        "made elsewhere. The chain keeps who states it, and refuses more than is due.",
    )
    .requiredOption("--amount <units>", "reward units, 1 or more", parseUnits)
    .addOption(
      new Option("--reference <text>", "a note for people, such as a bank reference")
        .default("", "none")
        .argParser(parseReference),
    )
    .action((nodeId: string, payment: Payment, self: Command) =>
      withClient(self, async (client, output) => {
        const node = await nodeOf(client, nodeId);
        const { amount } = payment;
        const height = await client.recordPayout(node, payment).catch((error: unknown) => {
          throw payoutErrorOf(error, nodeId);
        });
        const value = { node_id: nodeId, amount, paid: node.paid + amount, height };
        output.result(value, () => `${nodeId} was paid ${amount}: recorded in block ${height}`);
      }),
    );
  addProfileOption(command);
}

function addRetire(storage: Command): void {
  const command = storage
    .command("retire")
    .argument("<node>", "a storage node's id")
    .summary("retire a node for good, as an operator of its sponsor")
    .description(
      "Retires a storage node: from the next block on it is drawn into no committee. What it has " +
        "earned remains due. It can join again only with a new invitation.",
    )
    .action((nodeId: string, _options: object, self: Command) =>
      withClient(self, async (client, output) => {
        const height = await client.retireStorageNode(await nodeOf(client, nodeId));
        output.result({ node_id: nodeId, height }, () => `${nodeId} is retired by block ${height}`);
      }),
    );
  addProfileOption(command);
}

/**
 * If no answer came, nobody knows whether the payout was recorded, and repeating the command would
 * sign another payout on top of it.
 */
export function payoutErrorOf(error: unknown, nodeId: string): unknown {
  const told = cliErrorOf(error);
  if (!(error instanceof RpcError) || !mayRepeat(error) || !(told instanceof CliError)) return told;
  const next = `the payout may be recorded all the same: see 'bss storage statement ${nodeId}' before you repeat it`;
  return new CliError(told.what, next, { cause: error });
}

type Payment = { readonly amount: bigint; readonly reference: string };

async function nodeOf(client: BssClient, nodeId: string): Promise<StorageNodeStatus> {
  const node = await client.storageNode(nodeId);
  if (node !== undefined) return node;
  throw new CliError(`there is no storage node ${nodeId}`, "'bss storage list' lists all of them");
}

function parseUnits(text: string): bigint {
  if (/^[1-9]\d{0,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("Use a whole number, 1 or more.");
}

function parseReference(text: string): string {
  if (text.length <= referenceCharactersMax) return text;
  throw new InvalidArgumentError(`Use at most ${referenceCharactersMax} characters.`);
}
