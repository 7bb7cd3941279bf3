/**
 * What clocks of a place show at a moment. Zones come from the IANA time zone database that
 * Node.js carries, so two parties that compute with very old and very new versions may differ about
 * a zone whose rules were changed in between.
 */
import { zoneOffsets } from "../base/zone-offsets.js";

export type LocalTime = {
  /** Days from 1970-01-01 to the local date. */
  readonly day: number;
  /** 0 for Sunday. */
  readonly weekday: number;
  /** From local midnight, as clocks show it. */
  readonly minute: number;
};

export type LocalClock = (unixS: number) => LocalTime;

const daySeconds = 86_400;
/** 1970-01-01 was a Thursday. */
const firstWeekday = 4;

/** Undefined for what is neither "UTC" nor a name such as "Europe/Berlin". */
export function localClock(zone: string): LocalClock | undefined {
  const offsetAt = zone === "UTC" ? () => 0 : zoneOffsets(zone);
  if (offsetAt === undefined) return undefined;
  return (unixS) => {
    const localS = unixS + offsetAt(unixS * 1_000) / 1_000;
    const day = Math.floor(localS / daySeconds);
    const minute = Math.floor((localS - day * daySeconds) / 60);
    return { day, weekday: (((day + firstWeekday) % 7) + 7) % 7, minute };
  };
}
