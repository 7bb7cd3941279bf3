/**
 * Where the intervals of a market begin. There is one grid of delivery intervals, which starts
 * `deliveryOffsetS` after each multiple of the delivery interval in UTC, and the meters' intervals
 * divide it. So each reading lies in exactly one delivery interval, in whatever time zone the
 * market is: its energy is counted once, for that interval and no other.
 */
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { type WindowSlot, windowIntervals } from "../state/windows.js";
import { isoTimeOfS } from "../times.js";

export type MarketGrid = Pick<Policy, "deliveryIntervalS" | "deliveryOffsetS">;

/** Every time zone of today differs from UTC by a multiple of this, s. */
export const zoneStepS = 900;

/** The start of the delivery interval that a time lies in; Unix s, negative before the first. */
export function deliveryStartOf(unixS: number, grid: MarketGrid): number {
  return startOf(unixS, grid.deliveryIntervalS, grid);
}

/** Whether an interval of this length, which divides the delivery interval, starts at this time. */
export function isIntervalStart(unixS: number, intervalS: number, grid: MarketGrid): boolean {
  return startOf(unixS, intervalS, grid) === unixS;
}

/**
 * Where the state keeps what belongs to the interval of this length that a time lies in. A time
 * before the grid's first interval, which no record that keeps the rules has, gives the first one.
 */
export function windowSlotOf(unixS: number, intervalS: number, grid: MarketGrid): WindowSlot {
  const number = Math.max(0, Math.floor((unixS - grid.deliveryOffsetS) / intervalS));
  const slot = number % windowIntervals;
  return { window: (number - slot) / windowIntervals, slot };
}

/** Where the state keeps the sums of the delivery interval that a time lies in. */
export function deliverySlotOf(unixS: number, grid: MarketGrid): WindowSlot {
  return windowSlotOf(unixS, grid.deliveryIntervalS, grid);
}

/** Tells people where intervals of this length start before and after a time that is no start. */
export function startsAround(unixS: number, intervalS: number, grid: MarketGrid): string {
  const before = startOf(unixS, intervalS, grid);
  const starts = [before, before + intervalS].filter((start) => start >= 0).map(isoTimeOfS);
  return (
    `Intervals of ${intervalS} s start at ${starts.join(" and ")}, not at ${isoTimeOfS(unixS)} ` +
    `(the policy's delivery_offset_s is ${grid.deliveryOffsetS}).`
  );
}

function startOf(unixS: number, intervalS: number, { deliveryOffsetS }: MarketGrid): number {
  const into = (unixS - deliveryOffsetS) % intervalS;
  return unixS - (into < 0 ? into + intervalS : into);
}
