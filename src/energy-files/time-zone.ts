/**
 * Local times of a place, which are not all one moment: in the hour before the clocks go back each
 * time comes twice, and in the hour that is left out when they go forward none comes at all.
 */
import { zoneOffsets } from "../base/zone-offsets.js";

export type TimeZone = {
  /** As it was given: "Europe/Berlin", "+09:30". */
  readonly name: string;
  /**
   * The moments (Unix ms, ascending) at which clocks there show what `localMs` shows in UTC: one as
   * a rule, none or two where clocks change.
   */
  readonly momentsOf: (localMs: number) => readonly number[];
  /** What clocks there show at a moment (Unix ms), as if it were shown in UTC. */
  readonly localMsOf: (ms: number) => number;
};

const dayMs = 86_400_000;
const minuteMs = 60_000;

/** A name of the IANA time zone database, or an offset such as +01:00; else undefined. */
export function timeZoneOf(name: string): TimeZone | undefined {
  const fixedMs = offsetMsOf(name);
  if (fixedMs !== undefined) {
    return {
      name,
      momentsOf: (localMs) => [localMs - fixedMs],
      localMsOf: (ms) => ms + fixedMs,
    };
  }
  const offsetMsAt = zoneOffsets(name);
  if (offsetMsAt === undefined) return undefined;
  return {
    name,
    momentsOf: (localMs) => {
      // Whatever holds at the time itself holds a day before it or a day after it.
      const offsets = new Set([offsetMsAt(localMs - dayMs), offsetMsAt(localMs + dayMs)]);
      return [...offsets]
        .map((offsetMs) => localMs - offsetMs)
        .filter((ms) => ms + offsetMsAt(ms) === localMs)
        .toSorted((a, b) => a - b);
    },
    localMsOf: (ms) => ms + offsetMsAt(ms),
  };
}

/** "Z", "UTC", "GMT", "+01", "+0100", "+01:00" as ms east of UTC; undefined for anything else. */
export function offsetMsOf(text: string): number | undefined {
  if (/^(?:Z|UTC|GMT)$/i.test(text)) return 0;
  const match = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hours, minutes = "0"] = match;
  const total = Number(hours) * 60 + Number(minutes);
  // The farthest that clocks are set anywhere is 14 hours.
  if (Number(minutes) > 59 || total > 14 * 60) return undefined;
  return (sign === "-" ? -total : total) * minuteMs;
}

/** "+02:00". */
export function offsetText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / minuteMs);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${offsetMs < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
