/**
 * A run as a table for people. "cores m/s/a/h/all" is what all managers, all storage nodes, the
 * attackers and the honest participant took of the machine, in cores, and what was taken of it in
 * all, by other programs too.
 */
import { mebibytes } from "./bounds.js";
import type { JudgedPhase } from "./hostile.js";
import type { NodeFigures } from "./measurements.js";

const widths = [24, 7, 9, 7, 8, 8, 7, 8, 7, 10, 6, 8, 5, 26];

export const tableHead = row([
  "phase",
  "s",
  "RSS MiB",
  "b/s",
  "empty/s",
  "p50 ms",
  "p99 ms",
  "final",
  "failed",
  "log kB/h",
  "fds",
  "recov s",
  "susp",
  "cores m/s/a/h/all",
]);

export function tableRow(phase: JudgedPhase): string {
  const { name, seconds, honest, blocks, emptyBlocks, suspended, exits, recoveryMs } = phase;
  const managers = managersOf(phase);
  const logBytes = most(phase.nodes.map((node) => node.logBytes));
  const sum = (role: NodeFigures["role"]) => processorMsOf(phase, role);
  const failed = Object.values(honest.failed).reduce((sum, count) => sum + count, 0);
  const cells = row([
    name,
    seconds.toFixed(0),
    mebibytes(most(managers.map(({ residentBytes }) => residentBytes))),
    (blocks / seconds).toFixed(1),
    (emptyBlocks / seconds).toFixed(1),
    honest.p50Ms?.toFixed(0) ?? "-",
    honest.p99Ms?.toFixed(0) ?? "-",
    String(honest.final),
    String(failed),
    ((logBytes / seconds) * 3.6).toFixed(0),
    String(most(managers.map(({ descriptors }) => descriptors))),
    recoveryMs === undefined ? "never" : (recoveryMs / 1000).toFixed(1),
    String(suspended.length),
    [sum("manager"), sum("storage"), phase.attackersMs, phase.honestMs, phase.machineMs]
      .map((ms) => (ms / 1000 / seconds).toFixed(2))
      .join("/"),
  ]);
  return [cells, ...notes(phase).map((note) => `    ${note}`)].join("\n");

  function notes({ tallies, broken }: JudgedPhase): readonly string[] {
    const done = Object.entries(tallies).map(([attack, { counts }]) => {
      const parts = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
      return `${attack}: ${parts.join(", ") || "nothing"}`;
    });
    const lost = Object.entries(honest.failed).map(([why, count]) => `${why} ${count}`);
    return [
      ...done,
      ...exits.map(({ id, how }) => `${id} ended: ${how}`),
      ...(suspended.length === 0 ? [] : [`suspended: ${suspended.join(", ")}`]),
      ...(lost.length === 0 ? [] : [`the honest participant's failures: ${lost.join(", ")}`]),
      ...broken.map((what) => `BROKEN ${what}`),
    ];
  }
}

/** What every phase is compared by, the first one being quiet. */
export function markdownTable(phases: readonly JudgedPhase[]): string {
  const head = ["attack", "p50 ms", "p99 ms", "blocks/s", "managers, cores", "their ms a block"];
  const rows = phases.map((phase) => {
    const { name, seconds, honest, blocks, suspended, broken } = phase;
    const managersMs = processorMsOf(phase, "manager");
    return [
      name,
      honest.p50Ms?.toFixed(0) ?? "–",
      honest.p99Ms?.toFixed(0) ?? "–",
      (blocks / seconds).toFixed(1),
      (managersMs / 1_000 / seconds).toFixed(2),
      blocks === 0 ? "–" : (managersMs / blocks).toFixed(0),
      mebibytes(most(managersOf(phase).map(({ residentBytes }) => residentBytes))),
      String(suspended.length),
      broken.length === 0 ? "" : "!",
    ];
  });
  const cells = [[...head, "MiB", "suspended", ""], ...rows];
  const lines = cells.map((each) => `| ${each.join(" | ")} |`);
  lines.splice(1, 0, `|${"---|".repeat(cells[0]?.length ?? 0)}`);
  return lines.join("\n");
}

function managersOf({ nodes }: JudgedPhase): readonly NodeFigures[] {
  return nodes.filter(({ role }) => role === "manager");
}

function processorMsOf({ nodes }: JudgedPhase, role: NodeFigures["role"]): number {
  return nodes.reduce((ms, node) => ms + (node.role === role ? node.processorMs : 0), 0);
}

function most(values: readonly number[]): number {
  return Math.max(0, ...values);
}

function row(cells: readonly string[]): string {
  return cells
    .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
    .join("");
}
