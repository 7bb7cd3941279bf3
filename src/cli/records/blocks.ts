/** `bss blocks`: the chain, block by block. */

import type { Command } from "commander";
import { defined } from "../../base/assert.js";
import type { BssClient } from "../../client/bss-client.js";
import { ControlOperationSchema } from "../../gen/bss/v1/genesis_pb.js";
import type { BlockView } from "../../gen/bss/v1/query_pb.js";
import { parseHeader } from "../../ledger/blocks/block-parsing.js";
import { decodeCanonical } from "../../ledger/wire.js";
import type { RpcError } from "../../rpc/rpc-error.js";
import { parseCount } from "../arguments.js";
import { addProfileOption, withClient } from "../client-session.js";
import { type Column, formatTime, type Output, shortHash, table } from "../text/output.js";
import { LossNotes } from "../text/rpc-advice.js";

type Options = { readonly from?: number; readonly limit: number; readonly follow?: boolean };

const limitDefault = 20;

/** Widths are fixed, because following prints line by line. */
const columns: readonly Column[] = [
  { title: "HEIGHT", align: "right" },
  { title: "TIME                       " },
  { title: "PROPOSER            " },
  { title: "ADDED", align: "right" },
  { title: "RECORDS", align: "right" },
  { title: "COMMITS", align: "right" },
  { title: "MATCHES", align: "right" },
  { title: "BLOCK       " },
  { title: "HASH1       " },
  { title: "MANAGERS" },
];

export function register(program: Command): void {
  const command = program
    .command("blocks")
    .summary("show blocks; --follow waits for new ones")
    .description(
      "Shows the last blocks, or the blocks from a height on. With --follow it also shows each new " +
        "block when it is made.",
    )
    .option("--from <height>", "show blocks from this height on", parseCount)
    .option("--limit <n>", "show at most this many (without --follow)", parseCount, limitDefault)
    .option(
      "-f, --follow",
      "wait for new blocks until Ctrl-C; if a manager is lost, another one is asked",
    )
    .action((options: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const { limit } = options;
        const from =
          options.from ?? (await lastHeights(client, options.follow === true ? 0 : limit));
        output.lines(table(columns, []));
        if (options.follow === true) {
          await follow(client, from, output);
          return;
        }
        let count = 0;
        for await (const block of client.listBlocks({ fromHeight: from })) {
          print(block, output);
          count += 1;
          if (count === limit) return;
        }
      }),
    );
  addProfileOption(command);
}

async function follow(client: BssClient, first: number, output: Output): Promise<void> {
  const losses = new LossNotes((text) => output.note(text));
  // On a terminal only: silence would look like a fault there.
  if (process.stderr.isTTY) output.note(`waiting for block ${first}; Ctrl-C stops this`);
  const onReconnect = (error: RpcError) => losses.note(error);
  for await (const block of client.watchBlocks(first, { onReconnect })) {
    losses.clear();
    print(block, output);
  }
}

/** First height of the last `count` blocks. */
async function lastHeights(
  client: { status(): Promise<{ readonly height: bigint }> },
  count: number,
): Promise<number> {
  const { height } = await client.status();
  return Math.max(1, Number(height) - count + 1);
}

function print(view: BlockView, output: Output): void {
  const block = defined(view.block, "blocks are checked before they come here");
  const parsed = parseHeader(block.header);
  if (!parsed.ok) return;
  const { height, header, proposerId, timestampMs, treeSize } = parsed.value;
  const added = block.leaves.length;
  const commits = view.certificates?.commit?.signatures.length ?? 0;
  const changes = managerChanges(block.control);
  const matches = view.certificates?.integrity?.signatures.length ?? 0;
  const value = {
    height,
    block_id: view.blockId,
    previous_block_id: header.previousBlockId,
    time_unix_ms: timestampMs,
    proposer_id: proposerId,
    created_round: header.createdRound,
    records_added: added,
    tree_size: treeSize,
    hash1: header.hash1,
    manager_signatures: commits,
    storage_attestations: matches,
    changes: changes.map(({ kind, managerId }) => ({ kind, manager_id: managerId })),
  };
  output.result(value, () => {
    const time = formatTime(timestampMs);
    const hashes = [shortHash(view.blockId), shortHash(header.hash1)];
    const counts = [added, treeSize, commits, matches];
    const row = [height, time, proposerId, ...counts, ...hashes, changeWords(changes)];
    return table(columns, [row]).split("\n")[1] ?? "";
  });
}

type ManagerChange = {
  readonly kind: "suspended" | "resumed" | "accused";
  readonly managerId: string;
};

const kinds = {
  suspendManager: "suspended",
  resumeManager: "resumed",
  evidence: "accused",
} as const;

/** What a block says about managers, from its exact control operations. */
function managerChanges(control: readonly Uint8Array[]): readonly ManagerChange[] {
  return control.flatMap((bytes) => {
    const operation = decodeCanonical(ControlOperationSchema, bytes)?.operation;
    switch (operation?.case) {
      case "suspendManager":
      case "resumeManager":
      case "evidence":
        return [{ kind: kinds[operation.case], managerId: operation.value.managerId }];
      default:
        return [];
    }
  });
}

/** "manager-3 suspended, manager-2 resumed". */
function changeWords(changes: readonly ManagerChange[]): string {
  return changes.map(({ kind, managerId }) => `${managerId} ${kind}`).join(", ");
}
