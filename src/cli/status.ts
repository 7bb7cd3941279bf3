/** `bss status`: what the nodes say about themselves, side by side. */
import type { Command } from "commander";
import { toHex } from "../base/bytes.js";
import type { BssClient } from "../client/client.js";
import { plainMessage } from "../client/manager-failures.js";
import type { GetStatusResponse } from "../gen/bss/v1/query_pb.js";
import { rpcErrorOf } from "../rpc/status-details.js";
import { CliError } from "./cli-error.js";
import { withClient } from "./client-session.js";
import { type Column, shortHash, table } from "./output.js";
import { addProfileOption } from "./profile.js";

type Options = { readonly storage?: readonly string[] };

type Answer = {
  readonly address: string;
  readonly status?: GetStatusResponse;
  readonly error?: string;
};

const columns: readonly Column[] = [
  { title: "NODE" },
  { title: "ADDRESS" },
  { title: "HEIGHT", align: "right" },
  { title: "RECORDS", align: "right" },
  { title: "ROOT" },
  { title: "PEERS", align: "right" },
  { title: "POOL", align: "right" },
  { title: "STATE" },
];

export function register(program: Command): void {
  const command = program
    .command("status")
    .summary("show height, root and peers of every node")
    .description(
      "Asks every manager of the profile about itself. Fails when one does not answer, or when " +
        "two hold different blocks at one height.",
    )
    .option("--storage <host:port...>", "storage nodes to ask as well")
    .action((options: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const answers = await Promise.all([
          ...client.profile.addresses.map((address) => ask(client, address, "manager")),
          ...(options.storage ?? []).map((address) => ask(client, address, "storage")),
        ]);
        if (output.json) for (const answer of answers) output.result(jsonOf(answer), String);
        output.line(table(columns, answers.map(rowOf)));
        refuseDifference(answers);
        const silent = answers.filter(({ status }) => status === undefined);
        if (silent.length === 0) return;
        const who = silent.map(({ address, error }) => `${address}: ${error}`).join("; ");
        throw new CliError(
          `${silent.length} of ${answers.length} nodes do not answer (${who})`,
          "check that they run and that the addresses are right",
        );
      }),
    );
  addProfileOption(command);
}

async function ask(
  client: BssClient,
  address: string,
  role: "manager" | "storage",
): Promise<Answer> {
  try {
    return { address, status: await client.statusOf(address, { role }) };
  } catch (error) {
    return { address, error: plainMessage(rpcErrorOf(error), address) };
  }
}

/** Two nodes with one height and two blocks: the one thing that must never be. */
function refuseDifference(answers: readonly Answer[]): void {
  const seen = new Map<bigint, GetStatusResponse>();
  for (const { status } of answers) {
    if (status === undefined) continue;
    const other = seen.get(status.height);
    seen.set(status.height, status);
    if (other === undefined) continue;
    if (
      toHex(other.blockId) === toHex(status.blockId) &&
      toHex(other.root) === toHex(status.root)
    ) {
      continue;
    }
    throw new CliError(
      `${other.nodeId} and ${status.nodeId} hold different ledgers at height ${status.height}`,
      "stop relying on the ledger and call the consortium's operators",
    );
  }
}

function rowOf({ address, status }: Answer) {
  if (status === undefined) {
    return ["-", address, undefined, undefined, "-", undefined, undefined, "no answer"];
  }
  const connected = status.peers.filter((peer) => peer.connected).length;
  return [
    status.nodeId,
    address,
    status.height,
    status.treeSize,
    shortHash(status.root),
    `${connected}/${status.peers.length}`,
    status.step === "" ? undefined : status.poolSubmissions,
    status.syncing ? "syncing" : status.step || "in step",
  ];
}

function jsonOf({ address, status, error }: Answer): object {
  if (status === undefined) return { address, error };
  return {
    address,
    node_id: status.nodeId,
    consortium_name: status.consortiumName,
    consortium_id: status.consortiumId,
    height: Number(status.height),
    block_id: status.blockId,
    tree_size: Number(status.treeSize),
    root: status.root,
    state_digest: status.stateDigest,
    syncing: status.syncing,
    round: status.round,
    step: status.step,
    pool_submissions: status.poolSubmissions,
    version: status.version,
    peers: status.peers.map(({ peerId, connected, height }) => ({
      ...{ peer_id: peerId, connected, height: Number(height) },
    })),
  };
}
