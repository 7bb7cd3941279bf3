/** `bss storage payout` and `bss storage retire`: what an operator states about its own nodes. */
import { type Command, InvalidArgumentError } from "commander";
import type { BssClient } from "../../client/client.js";
import { mayRepeat } from "../../client/connections.js";
import type { StorageNodeStatus } from "../../gen/bss/v1/query_pb.js";
import { RpcError } from "../../rpc/rpc-error.js";
import { withClient } from "../client-session.js";
import { addProfileOption } from "../members/profile.js";
import { CliError } from "../text/cli-error.js";
import { cliErrorOf } from "../text/rpc-advice.js";

const referenceCharactersMax = 64;

export function addPayout(storage: Command): void {
  const command = storage
    .command("payout")
    .argument("<node>", "a storage node's id")
    .summary("record that a node was paid, as an operator of its sponsor")
    .description(
      "Records on the chain that a storage node was paid reward units. The payment itself is " +
        "made elsewhere; the chain keeps who states it, and refuses more than is due.",
    )
    .requiredOption("--amount <units>", "reward units, 1 or more", parseUnits)
    .option("--reference <text>", "for people: a bank reference", parseReference, "")
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

export function addRetire(storage: Command): void {
  const command = storage
    .command("retire")
    .argument("<node>", "a storage node's id")
    .summary("send a node away for good, as an operator of its sponsor")
    .description(
      "Retires a storage node: no committee is drawn with it from the next block on. What it has " +
        "earned stays due. It joins again by a new invitation only.",
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
 * What became of a payout whose answer did not come is not known, and another command would sign a
 * further one, on top of it.
 */
export function payoutErrorOf(error: unknown, nodeId: string): unknown {
  const told = cliErrorOf(error);
  if (!(error instanceof RpcError) || !mayRepeat(error) || !(told instanceof CliError)) return told;
  const next = `it may be recorded yet: see 'bss storage statement ${nodeId}' before you pay again`;
  return new CliError(told.what, next, { cause: error });
}

type Payment = { readonly amount: bigint; readonly reference: string };

async function nodeOf(client: BssClient, nodeId: string): Promise<StorageNodeStatus> {
  const node = await client.storageNode(nodeId);
  if (node !== undefined) return node;
  throw new CliError(`nobody has admitted ${nodeId}`, "'bss storage list' shows who there is");
}

function parseUnits(text: string): bigint {
  if (/^[1-9]\d{0,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError("Use a whole number, 1 or more.");
}

function parseReference(text: string): string {
  if (text.length <= referenceCharactersMax) return text;
  throw new InvalidArgumentError(`Use at most ${referenceCharactersMax} characters.`);
}
