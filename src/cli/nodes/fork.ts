/** `bss fork show`: which nodes have halted, why, and whether the evidence holds. */
import type { Command } from "commander";
import type { BssClient } from "../../client/bss-client.js";
import { type ProvenFork, provenFork } from "../../client/verify/answers.js";
import type { GetForkResponse } from "../../gen/bss/v1/query_pb.js";
import type { RpcError } from "../../rpc/rpc-error.js";
import { rpcErrorOf } from "../../rpc/status-details.js";
import { addProfileOption, withClient } from "../client-session.js";
import { CliError } from "../text/cli-error.js";
import { type Column, type Output, shortHash, table } from "../text/output.js";

type Options = { readonly storage?: readonly string[] };

type Answer = { readonly node: string } & (
  | { readonly said: GetForkResponse; readonly fork: ProvenFork | undefined }
  | { readonly error: RpcError }
);

const columns: readonly Column[] = [
  { title: "NODE" },
  { title: "STATE" },
  { title: "HEIGHT", align: "right" },
  { title: "BLOCKS" },
  { title: "COMMITTED TO BOTH" },
  { title: "WHY" },
];

export function register(program: Command): void {
  const fork = program.command("fork").summary("show forks of the chain and their evidence");
  const command = fork
    .command("show")
    .summary("show which nodes have halted, why, and by what evidence")
    .description(
      "Asks every manager whether it has halted, and why. A fork is proven by two commit " +
        "certificates for different blocks of one height; their signatures are checked here, " +
        "against the keys in genesis. Exits with 1 if a node has halted.",
    )
    .option("--storage <host:port...>", "also ask these storage nodes")
    .action(({ storage = [] }: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const { managers } = client.genesis.members;
        const answers = await Promise.all([
          ...managers.map(({ managerId, address }) => ask(client, managerId, address, "manager")),
          ...storage.map((address) => ask(client, address, address, "storage")),
        ]);
        print(answers, output);
        const halted = answers.filter((each) => "said" in each && each.said.halted !== "");
        if (halted.length === 0) return;
        throw new CliError(
          `${halted.length} of ${answers.length} nodes have halted`,
          "keep their data directories; the operators of all managers have to find out who caused it",
        );
      }),
    );
  addProfileOption(command);
}

async function ask(
  client: BssClient,
  node: string,
  address: string,
  role: "manager" | "storage",
): Promise<Answer> {
  try {
    const said = await client.forkOf(address, { role });
    const fork = said.fork && (await provenFork(said.fork, client.genesis));
    return { node, said, fork };
  } catch (error) {
    return { node, error: rpcErrorOf(error) };
  }
}

function print(answers: readonly Answer[], output: Output): void {
  if (output.json) for (const answer of answers) output.result(jsonOf(answer), String);
  output.lines(table(columns, answers.map(rowOf)));
}

function rowOf(answer: Answer) {
  if ("error" in answer) {
    return [answer.node, "no answer", ...[undefined, undefined, undefined], answer.error.message];
  }
  const { node, said, fork } = answer;
  if (said.halted === "") return [node, "no fork", undefined, undefined, undefined, undefined];
  if (fork === undefined) {
    const state = said.fork === undefined ? "halted" : "claims a fork that is not proven";
    return [node, state, undefined, undefined, undefined, said.halted];
  }
  const { height, blockIds, accusedIds } = fork;
  const blocks = blockIds.map(shortHash).join(" ");
  return [node, "fork proven", height, blocks, accusedIds.join(", "), said.halted];
}

function jsonOf(answer: Answer): object {
  if ("error" in answer) {
    const { message, reason } = answer.error;
    return { node: answer.node, error: { message, reason } };
  }
  const { node, said, fork } = answer;
  return {
    node,
    halted: said.halted,
    proven: fork !== undefined,
    ...(fork && {
      height: fork.height,
      block_ids: fork.blockIds,
      accused_ids: fork.accusedIds,
    }),
  };
}
