/**
 * The status of all nodes, redrawn in place on a terminal, and as one line per change everywhere
 * else.
 */
import { printable } from "../../base/printable.js";
import { type Output, shortHash, table, toJson } from "../text/output.js";
import type { NodeStatus } from "./node-status.js";

export type NodeRow = {
  readonly id: string;
  readonly role: "manager" | "storage";
  readonly pid: number;
  /** "silent": the process runs and does not answer. */
  readonly state: "running" | "silent" | "ended";
  readonly status?: NodeStatus;
};

const columns = [
  { title: "NODE" },
  { title: "PID", align: "right" },
  { title: "STATE" },
  { title: "HEIGHT", align: "right" },
  { title: "RECORDS", align: "right" },
  { title: "ROOT" },
  { title: "PEERS", align: "right" },
  { title: "STEP" },
] as const;

export class StatusDisplay {
  readonly #output: Output;
  readonly #stream: NodeJS.WriteStream;
  /** What was printed last: lines on screen, or the text of each node's last change. */
  #linesOnScreen = 0;
  readonly #printed = new Map<string, string>();

  constructor(output: Output, stream: NodeJS.WriteStream) {
    this.#output = output;
    this.#stream = stream;
  }

  update(rows: readonly NodeRow[]): void {
    if (this.#output.json || !this.#stream.isTTY) this.#printChanges(rows);
    else this.#redraw(rows);
  }

  /** A line for people, which stays: the next table comes below it. */
  note(text: string): void {
    this.end();
    this.#output.note(text);
  }

  /** Leaves the last table on the screen. */
  end(): void {
    this.#linesOnScreen = 0;
  }

  #printChanges(rows: readonly NodeRow[]): void {
    for (const row of rows) {
      const value = changeOf(row);
      // What a height waits for changes with every step of every round, so it is printed once.
      const isWaiting = row.status !== undefined && row.status.waitsFor !== "";
      const key = toJson({ ...value, waits_for: isWaiting });
      if (this.#printed.get(row.id) === key) continue;
      this.#printed.set(row.id, key);
      this.#output.result(value, () => printable(lineOf(row)));
    }
  }

  #redraw(rows: readonly NodeRow[]): void {
    const width = this.#stream.columns ?? 80;
    const lines = [...table(columns, rows.map(cellsOf)).split("\n"), summaryOf(rows)];
    lines.push(...troublesOf(rows));
    const gone = Math.max(0, this.#linesOnScreen - lines.length);
    const up = this.#linesOnScreen > 0 ? `\x1b[${this.#linesOnScreen}A` : "";
    // A line that wraps would be two, and the next redraw would start one line too low.
    const text = lines.map((line) => `\x1b[2K${printable(line).slice(0, width - 1)}\n`).join("");
    const blank = "\x1b[2K\n".repeat(gone);
    const back = gone > 0 ? `\x1b[${gone}A` : "";
    this.#stream.write(`${up}${text}${blank}${back}`);
    this.#linesOnScreen = lines.length;
  }
}

/** One line over the table: whether everybody agrees. */
export function summaryOf(rows: readonly NodeRow[]): string {
  const up = rows.filter(({ state }) => state === "running").length;
  const heights = rows.flatMap(({ status }) => (status === undefined ? [] : [status.height]));
  if (heights.length === 0) return `${up} of ${rows.length} nodes answer`;
  const top = Math.max(...heights);
  const atTop = rows.flatMap(({ status }) =>
    status?.height === top ? [shortHash(status.root)] : [],
  );
  const same = new Set(atTop).size === 1 ? "one root" : "DIFFERENT ROOTS";
  return `${up} of ${rows.length} nodes answer, ${atTop.length} at height ${top} with ${same}`;
}

/** Whether every node runs, hears all managers, and has nothing against taking part. */
export function areConnected(rows: readonly NodeRow[]): boolean {
  const managers = rows.filter(({ role }) => role === "manager").length;
  return rows.every(({ role, status }) => {
    if (status === undefined) return false;
    const { peers, syncing, abstaining, halted } = status;
    const others = role === "manager" ? managers - 1 : managers;
    return peers >= others && !syncing && abstaining === "" && halted === "";
  });
}

/** Lines under it: who waits for whom, and who signs nothing. */
function troublesOf(rows: readonly NodeRow[]): readonly string[] {
  const waiting = new Map<string, string[]>();
  const lines: string[] = [];
  for (const { id, status } of rows) {
    if (status === undefined) continue;
    const { waitsFor, abstaining, halted } = status;
    if (halted !== "") {
      lines.push(`${id} has halted: ${halted}`);
      continue;
    }
    if (waitsFor !== "") waiting.set(waitsFor, [...(waiting.get(waitsFor) ?? []), id]);
    if (abstaining !== "") lines.push(`${id} signs nothing: ${abstaining}`);
  }
  return [
    ...[...waiting].map(([what, ids]) => `${ids.join(", ")}: no block without ${what}`),
    ...lines,
  ];
}

function changeOf({ id, role, pid, state, status }: NodeRow) {
  if (status === undefined) return { node: id, role, pid, state };
  const { height, treeSize, root, peers, syncing, waitsFor, abstaining, halted } = status;
  return {
    node: id,
    role,
    pid,
    state,
    height,
    tree_size: treeSize,
    root,
    peers,
    syncing,
    waits_for: waitsFor,
    abstaining,
    halted,
  };
}

function lineOf({ id, state, status }: NodeRow): string {
  if (status === undefined) return `${id} ${state}`;
  const { height, treeSize, root, peers, syncing, waitsFor, abstaining, halted } = status;
  const held = `height ${height}, records ${treeSize}, root ${shortHash(root)}`;
  if (halted !== "") return `${id} ${held}, has halted: ${halted}`;
  const behind = syncing ? ", catching up" : "";
  const waits = waitsFor === "" ? "" : `, waits for ${waitsFor}`;
  const silent = abstaining === "" ? "" : `, signs nothing: ${abstaining}`;
  return `${id} ${held}, peers ${peers}${behind}${waits}${silent}`;
}

function cellsOf({ id, pid, state, status }: NodeRow) {
  if (status === undefined) return [id, pid, state];
  const { height, treeSize, root, peers, syncing, step, round, halted } = status;
  const going = step === "" || step === "idle" ? step : `${step} ${round}`;
  const doing = syncing ? "catching up" : going;
  return [
    id,
    pid,
    state,
    height,
    treeSize,
    shortHash(root),
    peers,
    halted === "" ? doing : "halted",
  ];
}
