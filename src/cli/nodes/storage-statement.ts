/** `bss storage statement`: why a node's credit and reward are what they are, recomputed. */
import type { Command } from "commander";
import { connectToStorageNode } from "../../client/bss-client.js";
import { readStatement } from "../../client/read-statement.js";
import type { Statement, StatementEntry } from "../../client/verify/credit-statement.js";
import type { StandingChangeKind } from "../../ledger/storage-nodes/credit.js";
import { parseCount } from "../arguments.js";
import { addProfileOption, withClient } from "../client-session.js";
import { CliError } from "../text/cli-error.js";
import { type Column, fields, formatTime, type Output, table } from "../text/output.js";
import { createHeightBar } from "../text/progress-bar.js";

type Options = { readonly storage?: string; readonly last: number };

const lastDefault = 20;

const columns: readonly Column[] = [
  { title: "BLOCK", align: "right" },
  { title: "TIME" },
  { title: "WHAT" },
  { title: "EVIDENCE" },
  { title: "CREDIT", align: "right" },
  { title: "", align: "right" },
  { title: "EARNED", align: "right" },
  { title: "PAID", align: "right" },
];

const words: Readonly<Record<StandingChangeKind, string>> = {
  match: "matched",
  late: "matched late",
  unseen: "not seen",
  mismatch: "found a mismatch",
  "audit-failed": "audit failed",
  "audit-passed": "audit passed",
  admitted: "admitted",
  unreachable: "suspended: not reachable",
  returned: "returned",
  boycotted: "boycotted",
  retired: "retired",
  paid: "paid",
};

export function addStatement(storage: Command): void {
  const command = storage
    .command("statement")
    .argument("<node>", "a storage node's id")
    .summary("every change of a node's credit and reward, recomputed from the chain")
    .description(
      "Reads the whole public chain, checks every block and signature from genesis on, recomputes " +
        "the node's credit and reward, and compares them with what a manager says. " +
        "Each change is shown with the block that makes it and the certificate or operation in " +
        "it from which it follows.",
    )
    .option("--storage <host:port>", "read the chain from this storage node instead of managers")
    .option("--last <n>", "show at most this many changes, the last ones", parseCount, lastDefault)
    .action((nodeId: string, { storage: address, last }: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const chain =
          address === undefined ? undefined : connectToStorageNode(client.profile, address);
        const bar = createHeightBar();
        try {
          const onBlock = (at: number, { height: top }: { height: number }) => bar.show(at, top);
          const statement = await readStatement(client, nodeId, {
            onBlock,
            ...(chain && { chain }),
          });
          bar.stop();
          print(statement, last, output);
        } finally {
          bar.stop();
          chain?.close();
        }
      }),
    );
  addProfileOption(command);
}

function print(statement: Statement, last: number, output: Output): void {
  const { node, nodeId, height, entries } = statement;
  if (node === undefined) {
    throw new CliError(
      `there is no storage node ${nodeId}`,
      "'bss storage list' lists all of them",
    );
  }
  const shown = entries.slice(-last);
  if (output.json) for (const entry of shown) output.result(jsonOf(entry), String);
  output.lines(table(columns, shown.map(rowOf)));
  const { credit, reward, paid, suspension = "none" } = node;
  const summary = {
    node_id: nodeId,
    height,
    credit,
    reward,
    paid,
    due: reward - paid,
    suspension,
    change_count: entries.length,
    equal: true,
  };
  output.result(summary, () =>
    [
      "",
      fields([
        ["changes", `${shown.length} of ${entries.length} shown`],
        ["credit", credit],
        ["earned", reward],
        ["paid", paid],
        ["due", reward - paid],
        ["suspended", suspension],
      ]),
      "",
      `recomputed from ${height} blocks; the manager that was asked says the same`,
    ].join("\n"),
  );
}

function rowOf(entry: StatementEntry) {
  const { height, timestampMs, kind, credit, creditDelta, rewardDelta, paidDelta } = entry;
  const delta = creditDelta === 0 ? undefined : `${creditDelta > 0 ? "+" : ""}${creditDelta}`;
  return [
    ...[height, formatTime(timestampMs), words[kind], evidenceOf(entry), credit, delta],
    ...[rewardDelta === 0n ? undefined : rewardDelta, paidDelta === 0n ? undefined : paidDelta],
  ];
}

/** Where in the chain to look for what the change follows from. */
function evidenceOf({ kind, height, aboutHeight }: StatementEntry): string {
  switch (kind) {
    case "match":
      return `integrity certificate of block ${aboutHeight} in block ${height}`;
    case "unseen":
    case "audit-passed":
      return `committee of block ${aboutHeight}, closed by block ${height}`;
    case "boycotted":
      return "credit below the line";
    default:
      return aboutHeight === height || aboutHeight === 0
        ? `operation in block ${height}`
        : `operation in block ${height} about block ${aboutHeight}`;
  }
}

function jsonOf(entry: StatementEntry): object {
  return {
    height: entry.height,
    time_unix_ms: entry.timestampMs,
    kind: entry.kind,
    about_height: entry.aboutHeight,
    credit: entry.credit,
    credit_delta: entry.creditDelta,
    reward_delta: entry.rewardDelta,
    paid_delta: entry.paidDelta,
  };
}
