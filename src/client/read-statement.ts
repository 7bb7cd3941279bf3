/** A storage node's statement of credit, read from a node and compared with what a manager says. */
import type { StorageNodeStatus } from "../gen/bss/v1/query_pb.js";
import type { StorageNode } from "../ledger/members/member-lists.js";
import type { BssClient } from "./bss-client.js";
import { pause } from "./manager-connections.js";
import { UntrueAnswer } from "./verify/answers.js";
import { Statement } from "./verify/credit-statement.js";

export type StatementOptions = {
  /** Whose chain is read instead of the managers', such as that of a storage node. */
  readonly chain?: BssClient;
  /** Called after each block. */
  readonly onBlock?: (height: number, status: { readonly height: number }) => void;
};

/**
 * The chain grows while it is read. Its new blocks are read this often before the manager is taken
 * to be wrong.
 */
const comparisonsMax = 10;

/**
 * Follows the whole chain and compares the result with what one manager says about the node. Throws
 * `UntrueAnswer` if the chain does not hold, if the manager says something else about the node, or
 * if the chain that is read lags behind that of the manager.
 */
export async function readStatement(
  client: BssClient,
  nodeId: string,
  { chain = client, onBlock }: StatementOptions = {},
): Promise<Statement> {
  const statement = new Statement(nodeId, client.genesis);
  for (let comparison = 1; ; comparison += 1) {
    const { height } = await chain.status();
    const status = { height: Number(height) };
    if (status.height > statement.height) {
      const fromHeight = statement.height + 1;
      for await (const view of chain.listBlocks({ fromHeight, pageSize })) {
        await statement.add(view);
        onBlock?.(statement.height, status);
      }
    }
    const said = await client.storageNode(nodeId);
    if (isSame(statement.node, said)) return statement;
    if (comparison < comparisonsMax) {
      await pause(comparisonPauseMs, undefined);
      continue;
    }
    const held = Number((await client.status()).height);
    if (held > statement.height + lagMax) throw new UntrueAnswer(behind(statement.height, held));
    throw new UntrueAnswer(
      `what a manager says about ${nodeId} does not follow from the chain up to block ` +
        `${statement.height}`,
    );
  }
}

/** A node that keeps up may be this many blocks behind when it is asked. */
const lagMax = 2;

function behind(read: number, held: number): string {
  return `the chain that was read ends at block ${read}, and that of a manager at block ${held}`;
}

const pageSize = 100;
const comparisonPauseMs = 300;

function isSame(computed: StorageNode | undefined, said: StorageNodeStatus | undefined): boolean {
  if (computed === undefined || said === undefined) return computed === said;
  const { credit, reward, paid, changedHeight, lastAttestedHeight } = computed;
  return (
    credit === said.credit &&
    reward === said.reward &&
    paid === said.paid &&
    BigInt(changedHeight) === said.changedHeight &&
    BigInt(lastAttestedHeight) === said.lastAttestedHeight
  );
}
