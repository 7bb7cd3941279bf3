/**
 * What got better and what got worse between two runs, beyond the noise.
 *
 * A difference counts if the two ranges (statistics.ts) do not overlap and it is larger than a
 * floor: 5 %, because ranges are of what varies within a run, and a machine is not the same in two
 * of them. Figures without a range need 15 %.
 */
import { loadName } from "../loads/load.js";
import { roles } from "../usage/snapshot.js";
import type { Run, RunResult, Section } from "./run-file.js";
import type { Estimate } from "./statistics.js";

export type Verdict = "better" | "worse" | "same" | "unknown";

export type Difference = {
  readonly section: string;
  readonly load: string;
  readonly measure: string;
  readonly a: number | undefined;
  readonly b: number | undefined;
  readonly verdict: Verdict;
};

type Measure = {
  readonly name: string;
  readonly better: "higher" | "lower";
  readonly of: (result: RunResult) => Estimate | number | undefined;
};

const floor = 0.05;
const floorWithoutRange = 0.15;

const measures: readonly Measure[] = [
  { name: "records/s", better: "higher", of: ({ recordsPerS }) => recordsPerS },
  { name: "p50 ms", better: "lower", of: ({ p50Ms }) => p50Ms },
  { name: "p95 ms", better: "lower", of: ({ p95Ms }) => p95Ms },
  { name: "p99 ms", better: "lower", of: ({ p99Ms }) => p99Ms },
  {
    name: "refused or unanswered",
    better: "lower",
    of: ({ refused, unanswered }) => Object.values(refused).reduce((a, b) => a + b, unanswered),
  },
  ...roles.flatMap((role): readonly Measure[] => {
    const of = (result: RunResult) => result.roles[role];
    return [
      { name: `${role} cpu ms/record`, better: "lower", of: (r) => of(r).cpuMsPerRecord },
      { name: `${role} cpu ms/block`, better: "lower", of: (r) => of(r).cpuMsPerBlock },
      { name: `${role} share of limit`, better: "higher", of: (r) => r.shares[role] },
      { name: `${role} sent B/record`, better: "lower", of: (r) => of(r).sentBytesPerRecord },
      { name: `${role} written B/record`, better: "lower", of: (r) => of(r).writtenBytesPerRecord },
      { name: `${role} kept B/record`, better: "lower", of: (r) => of(r).keptBytesPerRecord },
      { name: `${role} puts/record`, better: "lower", of: (r) => of(r).putsPerRecord },
      { name: `${role} resident MiB`, better: "lower", of: (r) => of(r).residentMiB },
    ];
  }),
];

/** From `a` to `b`; loads that only one of them has are left out. */
export function compareRuns(a: Run, b: Run): readonly Difference[] {
  return a.sections.flatMap((section) => {
    const other = b.sections.find((each) => sectionKey(each) === sectionKey(section));
    return section.results.flatMap((result) => {
      const name = loadName(result.load);
      const against = other?.results.find((each) => loadName(each.load) === name);
      if (against === undefined) return [];
      return measures.flatMap(({ name: measure, better, of }): Difference[] => {
        const [from, to] = [of(result), of(against)];
        const [before, after] = [figureOf(from), figureOf(to)];
        if (before === undefined && after === undefined) return [];
        const verdict = verdictOn(from, to, better);
        return [
          { section: sectionKey(section), load: name, measure, a: before, b: after, verdict },
        ];
      });
    });
  });
}

export function verdictOn(
  a: Estimate | number | undefined,
  b: Estimate | number | undefined,
  better: "higher" | "lower",
): Verdict {
  const [from, to] = [rangeOf(a), rangeOf(b)];
  if (from === undefined || to === undefined) return "unknown";
  const ranged = typeof a === "object" || typeof b === "object";
  const least = (ranged ? floor : floorWithoutRange) * Math.abs(from.value);
  const apart = to.low > from.high || to.high < from.low;
  if (!apart || Math.abs(to.value - from.value) <= least) return "same";
  return to.value > from.value === (better === "higher") ? "better" : "worse";
}

/** Why two runs may not be comparable at all. */
export function doubts(a: Run, b: Run): readonly string[] {
  const { machine: m, primitives: p } = a;
  const { machine: n, primitives: q } = b;
  const verify = q.ed25519Verify / p.ed25519Verify;
  const moved = Math.abs(Math.log(verify)) > Math.log(1.15);
  return [
    m.cpu === n.cpu && m.cores === n.cores ? "" : "they ran on different machines",
    m.node === n.node ? "" : `they ran on Node.js ${m.node} and ${n.node}`,
    a.windowMs === b.windowMs ? "" : "they measured for different times",
    a.warmMs === b.warmMs
      ? ""
      : `their nodes were warmed for ${a.warmMs / 1_000} s and ${b.warmMs / 1_000} s`,
    moved
      ? `an Ed25519 verification took ${verify.toFixed(2)} times as long in the second: the machine was not the same`
      : "",
  ].filter((text) => text !== "");
}

function sectionKey({ managers, storage, rttMs }: Section): string {
  return `N=${managers} X=${storage}${rttMs === 0 ? "" : ` rtt=${rttMs}ms`}`;
}

function figureOf(of: Estimate | number | undefined): number | undefined {
  return rangeOf(of)?.value;
}

/** A figure that a run could not measure is null in its file. */
function rangeOf(of: Estimate | number | undefined | null): Estimate | undefined {
  const range = typeof of === "number" ? { value: of, low: of, high: of } : of;
  return Number.isFinite(range?.value) ? (range ?? undefined) : undefined;
}
