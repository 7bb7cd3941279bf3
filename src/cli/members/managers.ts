/** `bss managers`: who takes part, who is suspended, and who was away from when to when. */
import type { Command } from "commander";
import type { BssClient } from "../../client/bss-client.js";
import type { ManagerStatus, MembershipChange } from "../../gen/bss/v1/query_pb.js";
import { parseCount } from "../arguments.js";
import { addProfileOption, withClient } from "../client-session.js";
import { type Column, formatDuration, formatTime, type Output, table } from "../text/output.js";
import { equivocation, reasonOf, suspensionWords } from "../text/status-words.js";

type Options = { readonly history?: boolean; readonly limit: number };

const limitDefault = 20;

const columns: readonly Column[] = [
  { title: "MANAGER" },
  { title: "STATE" },
  { title: "SINCE" },
  { title: "WHY" },
  { title: "ADDRESS" },
];

const historyColumns: readonly Column[] = [
  { title: "MANAGER" },
  { title: "FROM BLOCK", align: "right" },
  { title: "TIME" },
  { title: "TO BLOCK", align: "right" },
  { title: "FOR", align: "right" },
  { title: "WHY" },
];

export function register(program: Command): void {
  const command = program
    .command("managers")
    .summary("list managers; --history shows who was away when")
    .description(
      "Lists the managers in ring order, and since when and why a manager is suspended. With " +
        "--history it lists all suspensions instead, newest first, from the block that suspended a " +
        "manager to the block that resumed it.",
    )
    .option("--history", "list suspensions, newest first")
    .option("--limit <n>", "list at most this many suspensions", parseCount, limitDefault)
    .action(({ history = false, limit }: Options, self: Command) =>
      withClient(self, async (client, output) => {
        const consortium = await client.getConsortium({ history });
        if (history) await printHistory(client, consortium.history, limit, output);
        else printManagers(consortium.managers, output);
      }),
    );
  addProfileOption(command);
}

function printManagers(managers: readonly ManagerStatus[], output: Output): void {
  if (output.json) for (const manager of managers) output.result(jsonOf(manager), String);
  output.lines(table(columns, managers.map(rowOf)));
}

function rowOf(manager: ManagerStatus) {
  const { member, active, changedHeight, changedAtUnixMs } = manager;
  const since =
    changedHeight === 0n ? undefined : `block ${changedHeight}, ${formatTime(changedAtUnixMs)}`;
  const why = active ? undefined : suspensionWords(manager);
  return [member?.managerId, active ? "active" : "suspended", since, why, member?.address];
}

function jsonOf(manager: ManagerStatus): object {
  const { member, active, changedHeight, changedAtUnixMs, absences, offenceHeight } = manager;
  return {
    manager_id: member?.managerId,
    state: active ? "active" : "suspended",
    ...(active ? {} : { reason: reasonOf(manager) }),
    changed_height: Number(changedHeight),
    changed_at_unix_ms: Number(changedAtUnixMs),
    absences,
    offence_height: Number(offenceHeight),
    address: member?.address,
  };
}

async function printHistory(
  client: BssClient,
  history: readonly MembershipChange[],
  limit: number,
  output: Output,
): Promise<void> {
  const shown = absencesOf(history).slice(0, limit);
  const times = new Map<number, number>();
  const timeOf = async (height: number) => {
    const known = times.get(height);
    if (known !== undefined) return known;
    const { header } = await client.getBlock({ height });
    const timeMs = Number(header?.timestampUnixMs ?? 0);
    times.set(height, timeMs);
    return timeMs;
  };
  const rows = [];
  for (const absence of shown) {
    const fromMs = await timeOf(absence.fromHeight);
    const toMs = absence.toHeight === undefined ? undefined : await timeOf(absence.toHeight);
    if (output.json) output.result(absenceJson(absence, fromMs, toMs), String);
    const lasted = toMs === undefined ? undefined : formatDuration(toMs - fromMs);
    const { managerId, fromHeight, toHeight } = absence;
    const why = absence.why === "absent" ? "absent" : equivocation;
    rows.push([managerId, fromHeight, formatTime(fromMs), toHeight ?? "not yet", lasted, why]);
  }
  output.lines(rows.length === 0 ? "no manager was ever suspended" : table(historyColumns, rows));
}

function absenceJson(absence: Absence, fromMs: number, toMs: number | undefined): object {
  return {
    manager_id: absence.managerId,
    reason: absence.why,
    from_height: absence.fromHeight,
    from_unix_ms: fromMs,
    to_height: absence.toHeight ?? null,
    to_unix_ms: toMs ?? null,
  };
}

/** When a manager was suspended, from which block to which. */
type Absence = {
  readonly managerId: string;
  readonly fromHeight: number;
  /** The block that resumed it; undefined while it is suspended. */
  readonly toHeight?: number;
  readonly why: "absent" | "equivocated";
};

/** The suspensions, newest first, out of the changes of membership, which come oldest first. */
export function absencesOf(history: readonly MembershipChange[]): readonly Absence[] {
  const found: Absence[] = [];
  for (const { height, operation } of history) {
    const change = operation?.operation;
    const at = Number(height);
    if (change?.case === "suspendManager") {
      found.push({ managerId: change.value.managerId, fromHeight: at, why: "absent" });
    } else if (change?.case === "evidence") {
      found.push({ managerId: change.value.managerId, fromHeight: at, why: "equivocated" });
    } else if (change?.case === "resumeManager") {
      const last = found.findLastIndex(({ managerId }) => managerId === change.value.managerId);
      const open = found[last];
      if (open !== undefined) found[last] = { ...open, toHeight: at };
    }
  }
  return found.toReversed();
}
