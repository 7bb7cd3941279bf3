/** What an attack must not break, and what of it is broken. */
import type { PhaseFigures } from "./measurements.js";

export type Bounds = {
  /** Of every manager, bytes. */
  readonly residentBytesMax: number;
  /** Blocks without a record, on average. */
  readonly emptyBlocksPerSecondMax: number;
  /** Of one node: what it may write at once, and what it may go on writing. */
  readonly logBurstBytesMax: number;
  readonly logBytesPerHourMax: number;
  /** Open descriptors of one manager. */
  readonly descriptorsMax: number;
  /** The honest participant's record becomes final in the phase at least so often. */
  readonly honestRecordsMin: number;
  /** Its 99th percentile against the quiet one; asserted only when asked for. */
  readonly latencyFactorMax: number;
};

const MiB = 1024 * 1024;

export const defaultBounds: Bounds = {
  residentBytesMax: 1024 * MiB,
  emptyBlocksPerSecondMax: 0.5,
  logBurstBytesMax: 64 * 1024,
  logBytesPerHourMax: 10_000_000,
  descriptorsMax: 900,
  honestRecordsMin: 1,
  latencyFactorMax: 5,
};

const secondsPerHour = 3_600;

export function brokenBounds(
  bounds: Bounds,
  { phase, quietP99Ms }: { readonly phase: PhaseFigures; readonly quietP99Ms: number | undefined },
): readonly string[] {
  const broken: string[] = [];
  const refuse = (holds: boolean, what: string) => void (holds || broken.push(what));
  for (const { id, how } of phase.exits) refuse(false, `${id} ended: ${how}`);
  for (const id of phase.suspended) refuse(false, `${id} was suspended`);
  const logBytesMax =
    bounds.logBurstBytesMax + (bounds.logBytesPerHourMax / secondsPerHour) * phase.seconds;
  for (const node of phase.nodes) {
    const { id, residentBytes, descriptors, logBytes } = node;
    const limit = mebibytes(bounds.residentBytesMax);
    const memory = `${id} held ${mebibytes(residentBytes)} MiB, at most ${limit}`;
    refuse(node.role === "storage" || residentBytes <= bounds.residentBytesMax, memory);
    const open = `${id} had ${descriptors} descriptors open, at most ${bounds.descriptorsMax}`;
    refuse(descriptors <= bounds.descriptorsMax, open);
    const wrote = `${id} logged ${logBytes} bytes in ${phase.seconds.toFixed(0)} s`;
    refuse(logBytes <= logBytesMax, `${wrote}, at most ${logBytesMax.toFixed(0)}`);
  }
  const empty = phase.emptyBlocks / phase.seconds;
  const emptyMax = bounds.emptyBlocksPerSecondMax;
  refuse(empty <= emptyMax, `${empty.toFixed(1)} empty blocks a second, at most ${emptyMax}`);
  const { honest } = phase;
  const records = `${honest.final} honest records became final`;
  refuse(
    honest.final >= bounds.honestRecordsMin,
    `${records}, at least ${bounds.honestRecordsMin}`,
  );
  if (quietP99Ms !== undefined && honest.p99Ms !== undefined) {
    const factor = honest.p99Ms / quietP99Ms;
    const slow = `the honest p99 was ${factor.toFixed(1)} times the quiet one`;
    refuse(factor <= bounds.latencyFactorMax, `${slow}, at most ${bounds.latencyFactorMax}`);
  }
  refuse(phase.violations.length === 0, phase.violations.join("; "));
  return broken;
}

export function mebibytes(bytes: number): string {
  return (bytes / MiB).toFixed(0);
}
