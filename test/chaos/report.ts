/** The outcome of a run, as a table for people and as JSON for machines. */
import type { NodeLedger } from "./findings.js";
import type { JournalEntry } from "./journal.js";
import type { PhaseResult } from "./phases.js";
import { faultKinds } from "./plan.js";

export type Outcome = {
  readonly seed: number;
  readonly phases: readonly PhaseResult[];
  readonly journal: readonly JournalEntry[];
  readonly ledger: NodeLedger;
  /** Records that participants made, and those that they were told to be final. */
  readonly made: number;
  readonly acknowledged: number;
  /** Acknowledged records that no node has. */
  readonly lost: number;
  /** By reason: how often a record was refused for good. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly commitsMs: readonly number[];
  /** Of managers that no fault had struck. */
  readonly unfoundedSuspensions: readonly string[];
  /** What the checker looked at. */
  readonly seen: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
};

/** The table that ends a run. */
export function renderOutcome(outcome: Outcome): string {
  const { seed, phases, violations, seen, refusals, acknowledged, made, ledger } = outcome;
  const suspensions = ledger.history.filter(({ kind }) => kind === "suspend");
  const facts = [
    ["seed", seed],
    ["phases", phases.length],
    ["records made", made],
    ["records acknowledged", acknowledged],
    ["acknowledged records lost", outcome.lost],
    ["refused for good", describeCounts(refusals)],
    ["suspensions of managers", suspensions.length],
    ["of these without a fault", outcome.unfoundedSuspensions.join(", ") || "none"],
    ...Object.entries(seen).map(([what, count]) => [`checked: ${what}`, count]),
    ["violations", violations.length],
  ];
  const lines = facts.map(([name, value]) => `${String(name).padEnd(40)}${value}`);
  return [
    renderKinds(phases),
    lines.join("\n"),
    violations.map((text) => `VIOLATION ${text}`).join("\n"),
  ].join("\n\n");
}

/** One line per kind of fault: the worst of its phases. */
function renderKinds(phases: readonly PhaseResult[]): string {
  const header = row([
    "fault",
    "times",
    "blocks",
    "longest stall",
    "next block",
    "all level",
    "all active",
  ]);
  const rows = faultKinds.flatMap((kind) => {
    const own = phases.filter((phase) => phase.kind === kind);
    if (own.length === 0) return [];
    const beyond = own.every(({ tolerated }) => tolerated) ? "" : " *";
    return [
      row([
        `${kind}${beyond}`,
        String(own.length),
        String(own.reduce((sum, { blocksMeanwhile }) => sum + blocksMeanwhile, 0)),
        worst(own.map(({ stallMs }) => stallMs)),
        worst(own.map(({ commitAfterMs }) => commitAfterMs)),
        worst(own.map(({ levelAfterMs }) => levelAfterMs)),
        worst(own.map(({ activeAfterMs }) => activeAfterMs)),
      ]),
    ];
  });
  if (phases.length === 0) return "no fault struck";
  const tolerated = phases.filter((phase) => phase.tolerated);
  const longest = worst(tolerated.map(({ stallMs }) => stallMs));
  const note = `* more managers struck than may fail; of the others the longest stall is ${longest}`;
  return [header, ...rows, note].join("\n");
}

function row([name = "", ...cells]: readonly string[]): string {
  return name.padEnd(24) + cells.map((cell) => cell.padStart(14)).join("");
}

function worst(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length < values.length) return "never";
  return known.length === 0 ? "-" : `${(Math.max(...known) / 1000).toFixed(1)} s`;
}

function describeCounts(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}
