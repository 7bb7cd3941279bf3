/** `bss status`: what the nodes say about themselves, side by side, and what stands in the way. */

import type { Command } from "commander";
import { toHex } from "../../base/bytes.js";
import type { BssClient } from "../../client/bss-client.js";
import { plainMessage } from "../../client/manager-failures.js";
import { SuspensionMode } from "../../gen/bss/v1/genesis_pb.js";
import {
  type GetConsortiumResponse,
  type GetStatusResponse,
  type ManagerStatus,
  type ScrubStatus,
  type StorageNodeStatus,
  SyncProgressSchema,
  WaitingSchema,
} from "../../gen/bss/v1/query_pb.js";
import type { RpcError } from "../../rpc/rpc-error.js";
import { rpcErrorOf } from "../../rpc/status-details.js";
import { addProfileOption, withClient } from "../client-session.js";
import { CliError } from "../text/cli-error.js";
import { messageJson } from "../text/message-json.js";
import { type Column, shortHash, table } from "../text/output.js";
import { adviceOf } from "../text/rpc-advice.js";
import { doingOf, reasonOf, tintOfState, troublesOf } from "../text/status-words.js";
import { type StorageSupply, storageSupply, supplyJson, supplyTroubles } from "./storage-supply.js";

type Options = { readonly storage?: readonly string[] };

type Answer = {
  readonly address: string;
  /** The id from genesis, or from the answer of the node. */
  readonly nodeId?: string;
  readonly status?: GetStatusResponse;
  readonly error?: RpcError;
};

type Silent = Answer & { readonly error: RpcError };

const columns: readonly Column[] = [
  { title: "NODE" },
  { title: "ADDRESS" },
  { title: "HEIGHT", align: "right" },
  { title: "RECORDS", align: "right" },
  { title: "ROOT" },
  { title: "PEERS", align: "right" },
  { title: "POOL", align: "right" },
  { title: "STATE", tint: tintOfState },
];

export function register(program: Command): void {
  const command = program
    .command("status")
    .summary("show height, root and peers of every node, and what they wait for")
    .description(
      "Asks every manager of the profile about itself, and says whose signature is missing, who " +
        "is suspended and who is behind. Exits with 1 if a node does not answer or has halted, or " +
        "if two nodes hold different blocks at one height.",
    )
    .option("--storage <host:port...>", "also ask these storage nodes")
    .action((options: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const answers = await Promise.all([
          ...client.profile.addresses.map((address) => ask(client, address, "manager")),
          ...(options.storage ?? []).map((address) => ask(client, address, "storage")),
        ]);
        const statuses = answers.flatMap(({ status }) => (status === undefined ? [] : [status]));
        const silent = answers.filter((answer): answer is Silent => answer.error !== undefined);
        // A node that has halted answers nothing else.
        const someGoOn = statuses.some(({ halted }) => halted === "");
        const consortium = someGoOn ? await client.getConsortium({ history: false }) : undefined;
        const managers = consortium?.managers ?? [];
        const nodes: StorageNodeStatus[] = [];
        if (someGoOn) for await (const node of client.listStorageNodes()) nodes.push(node);
        const supplyOf: SupplyOf = (asked) =>
          consortium && storageSupply(nodes, asked, consortium.policy?.minStorage ?? 0);
        if (output.json) {
          for (const each of answers) output.result(jsonOf(each, managers, supplyOf), String);
        }
        output.lines(
          table(
            columns,
            answers.map((answer) => rowOf(answer, managers)),
          ),
        );
        for (const trouble of troublesOf(statuses, managers)) output.line(trouble);
        const going = statuses.filter((status) => status.halted === "" && isManager(status));
        const supply = going.length === 0 ? undefined : supplyOf(going);
        for (const trouble of supply ? supplyTroubles(supply) : []) output.line(trouble);
        refuseDifference(statuses);
        refuseHalted(statuses);
        if (silent.length > 0) throw silence(client, silent, answers.length, consortium);
      }),
    );
  addProfileOption(command);
}

async function ask(
  client: BssClient,
  address: string,
  role: "manager" | "storage",
): Promise<Answer> {
  const { managers } = client.genesis.members;
  const registered = managers.find((manager) => manager.address === address)?.managerId;
  try {
    const status = await client.statusOf(address, { role });
    return { address, nodeId: status.nodeId, status };
  } catch (thrown) {
    const error = rpcErrorOf(thrown);
    return { address, error, ...(registered === undefined ? {} : { nodeId: registered }) };
  }
}

/** Two nodes with different blocks at one height: this must never happen. */
function refuseDifference(statuses: readonly GetStatusResponse[]): void {
  const seen = new Map<bigint, GetStatusResponse>();
  for (const status of statuses) {
    const other = seen.get(status.height);
    seen.set(status.height, status);
    if (other === undefined) continue;
    const [same, root] = [toHex(other.blockId) === toHex(status.blockId), toHex(status.root)];
    if (same && toHex(other.root) === root) continue;
    throw new CliError(
      `${other.nodeId} and ${status.nodeId} hold different ledgers at height ${status.height}`,
      "do not rely on this ledger, and call the operators of the consortium",
    );
  }
}

function refuseHalted(statuses: readonly GetStatusResponse[]): void {
  const halted = statuses.filter((status) => status.halted !== "");
  if (halted.length === 0) return;
  const who = halted.map(({ nodeId }) => nodeId).join(", ");
  throw new CliError(
    `${halted.length} of ${statuses.length} nodes have halted (${who})`,
    "keep their data directories, and call the operators of the consortium",
  );
}

/** Which nodes do not answer, why, what follows for the ring, and what to do. */
function silence(
  client: BssClient,
  silent: readonly Silent[],
  asked: number,
  consortium: GetConsortiumResponse | undefined,
): CliError {
  const who = silent.map(({ address, nodeId, error }) => {
    const name = nodeId === undefined ? address : `${nodeId} at ${address}`;
    return `${name}: ${plainMessage(error, address)}`;
  });
  const what = `${silent.length} of ${asked} nodes do not answer (${who.join("; ")})`;
  const follows = consequence(client, silent, consortium);
  const next = new Set(silent.map(({ error }) => adviceOnSilence(error)));
  return new CliError(follows === "" ? what : `${what}, so ${follows}`, [...next].join("; "));
}

function adviceOnSilence(error: RpcError): string {
  if (error.status === "DEADLINE_EXCEEDED") {
    return "check the machine and its node: the node accepts the connection and does not answer";
  }
  if (!/ECONNREFUSED/.test(error.message)) return adviceOf(error);
  return (
    "start the nodes that do not run with 'bss start --config FILE', or correct the addresses in " +
    "the profile"
  );
}

/** What it means for the ring that these managers are away. */
function consequence(
  client: BssClient,
  silent: readonly Silent[],
  consortium: GetConsortiumResponse | undefined,
): string {
  if (consortium === undefined) return "";
  const { managers, quorum } = client.genesis.members;
  const away = managers.filter((each) => silent.some(({ nodeId }) => nodeId === each.managerId));
  if (away.length === 0) return "";
  if (managers.length - away.length < quorum) {
    return `no block is made: ${quorum} of ${managers.length} managers are needed`;
  }
  if (consortium.policy?.suspension === SuspensionMode.FLOOR) {
    const they = away.length === 1 ? "it" : "them";
    const active = new Set(
      consortium.managers.flatMap(({ member, active }) => (active ? [member?.managerId] : [])),
    );
    const isGone = away.every(({ managerId }) => !active.has(managerId));
    return isGone ? `the others go on without ${they}` : `the others suspend ${they} and go on`;
  }
  return "no block is made: this consortium waits for every manager";
}

function rowOf({ address, nodeId, status }: Answer, managers: readonly ManagerStatus[]) {
  const suspended = managers.some(
    ({ member, active }) => member?.managerId === nodeId && !active && nodeId !== undefined,
  );
  const mark = suspended ? "suspended, " : "";
  if (status === undefined) {
    const state = `${mark}no answer`;
    return [nodeId, address, undefined, undefined, undefined, undefined, undefined, state];
  }
  const connected = status.peers.filter((peer) => peer.connected).length;
  return [
    status.nodeId,
    address,
    status.height,
    status.treeSize,
    shortHash(status.root),
    `${connected}/${status.peers.length}`,
    isManager(status) ? status.poolSubmissions : undefined,
    `${mark}${doingOf(status)}`,
  ];
}

/** Only the ring of managers has steps. */
function isManager({ step }: GetStatusResponse): boolean {
  return step !== "";
}

/** How the asked managers see the storage nodes; undefined where nobody could say. */
type SupplyOf = (asked: readonly GetStatusResponse[]) => StorageSupply | undefined;

function jsonOf(answer: Answer, managers: readonly ManagerStatus[], supplyOf: SupplyOf): object {
  const { address, status, error } = answer;
  if (status === undefined) {
    if (error === undefined) return { address };
    return { address, error: { message: plainMessage(error, address), reason: error.reason } };
  }
  const supply = isManager(status) ? supplyOf([status]) : undefined;
  const storage = supply === undefined ? null : supplyJson(supply);
  return { address, ...statusJson(status, managers), storage };
}

/** What a node says about itself, for `--json`. `managers` are those of the ledger. */
function statusJson(status: GetStatusResponse, managers: readonly ManagerStatus[]): object {
  const { waiting, sync } = status;
  const own = managers.find(({ member }) => member?.managerId === status.nodeId);
  return {
    node_id: status.nodeId,
    consortium_name: status.consortiumName,
    consortium_id: status.consortiumId,
    height: Number(status.height),
    block_id: status.blockId,
    tree_size: Number(status.treeSize),
    root: status.root,
    state_digest: status.stateDigest,
    syncing: status.syncing,
    sync: sync === undefined ? null : messageJson(SyncProgressSchema, sync),
    round: status.round,
    step: status.step,
    waiting: waiting === undefined ? null : messageJson(WaitingSchema, waiting),
    abstaining: status.abstaining,
    halted: status.halted,
    scrub: status.scrub === undefined ? null : scrubJson(status.scrub),
    suspended: own === undefined || own.active ? null : suspendedJson(own),
    pool_submissions: status.poolSubmissions,
    version: status.version,
    peers: status.peers.map(({ peerId, connected, height, falseObjections, halted }) => ({
      peer_id: peerId,
      connected,
      height: Number(height),
      halted,
      false_objections: Number(falseObjections),
    })),
  };
}

function scrubJson(scrub: ScrubStatus): object {
  const { checkedHeight, lastPassUnixMs, damaged, repaired, lastDamage, repairing } = scrub;
  return {
    checked_height: Number(checkedHeight),
    last_pass_unix_ms: Number(lastPassUnixMs),
    damaged: Number(damaged),
    repaired: Number(repaired),
    last_damage: lastDamage,
    repairing,
  };
}

function suspendedJson(manager: ManagerStatus): object {
  const { changedHeight, changedAtUnixMs, absences } = manager;
  return {
    reason: reasonOf(manager),
    since_height: Number(changedHeight),
    since_unix_ms: Number(changedAtUnixMs),
    absences,
  };
}
