/** A run as people read it. */
import { type Primitive, primitives } from "../limit/primitives.js";
import { loadName, valuesPerRecord } from "../loads/load.js";
import type { RoleResult } from "../loads/measure-load.js";
import { type Role, roles } from "../usage/snapshot.js";
import type { Run, RunResult, Section } from "./run-file.js";
import { type Cell, figure, textTable } from "./text-table.js";

export const costHead = [
  ...["load", "of", "cpu ms/rec", "cpu ms/block", "limit %"],
  ...[
    "sent B/rec",
    "received",
    "written",
    "kept",
    "kept/value",
    "puts/rec",
    "batches/block",
    "MiB",
  ],
] as const;

export function primitivesText({ primitives: costs }: Pick<Run, "primitives">): string {
  const names = Object.keys(primitives) as Primitive[];
  const rows = names.map((name) => [`${name}: ${primitives[name]}`, costs[name]]);
  return textTable(["primitive", "cpu µs"], rows);
}

export function sectionTitle({ managers, storage, rttMs }: Omit<Section, "results">): string {
  const far = rttMs === 0 ? "" : `, round trips of ${rttMs} ms`;
  return `${managers} managers, ${storage} storage nodes${far}`;
}

/** One line as soon as a load has been measured. */
export function progressLine(result: RunResult): string {
  const { recordsPerS, p50Ms } = result;
  const speed = `${figure(recordsPerS.value)} records/s, p50 ${figure(p50Ms.value)} ms`;
  return [loadName(result.load).padEnd(14), speed, ...problems(result)].join("  ");
}

export function sectionText({ results }: Section): string {
  const speeds = textTable(
    ["load", "records/s", "+-", "values/s", "n", "p50 ms", "p95", "p99", "blocks/s", "rec/block"],
    results.map((result): Cell[] => {
      const { value, high } = result.recordsPerS;
      return [
        loadName(result.load),
        value,
        high - value,
        value * valuesPerRecord(result.load),
        result.submissions,
        result.p50Ms.value,
        result.p95Ms?.value,
        result.p99Ms?.value,
        result.blocksPerS,
        result.recordsPerBlock,
      ];
    }),
  );
  const rows = results.flatMap((result) => roles.map((role) => costRow(result, role)));
  const costs = textTable(costHead, rows);
  const troubles = results.flatMap((result) =>
    problems(result).map((problem) => `! ${loadName(result.load)}: ${problem}`),
  );
  return [speeds, "", costs, ...(troubles.length > 0 ? ["", ...troubles] : [])].join("\n");
}

/** What a load cost one node of a role, under `costHead`. */
export function costRow(result: RunResult, role: Role): readonly Cell[] {
  const of: RoleResult = result.roles[role];
  const share = result.shares[role];
  return [
    loadName(result.load),
    role,
    of.cpuMsPerRecord?.value,
    of.cpuMsPerBlock?.value,
    share === undefined ? undefined : share * 100,
    of.sentBytesPerRecord,
    of.receivedBytesPerRecord,
    of.writtenBytesPerRecord,
    of.keptBytesPerRecord,
    of.keptBytesPerRecord && of.keptBytesPerRecord / valuesPerRecord(result.load),
    of.putsPerRecord,
    of.batchesPerBlock,
    of.residentMiB,
  ];
}

/** What makes the figures of a load worth less. */
export function problems(result: RunResult): readonly string[] {
  const { refused, unanswered, reconnects, failure, warmedUp } = result;
  const reasons = Object.entries(refused).map(([reason, count]) => `${count} ${reason}`);
  return [
    reasons.length > 0 ? `records refused: ${reasons.join(", ")}` : "",
    unanswered > 0 ? `${unanswered} submissions without an answer` : "",
    warmedUp ? "" : "the warm-up took too long and was cut off",
    reconnects > 0 ? `the stream was lost ${reconnects} times` : "",
    failure === undefined ? "" : `ended by itself: ${failure}`,
  ].filter((text) => text !== "");
}
