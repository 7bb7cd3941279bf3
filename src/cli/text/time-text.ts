/**
 * Times as people and their exports write them. A text that could mean two moments is refused with
 * the reason, because nobody can see later that a time on the ledger is wrong.
 */
import { err, ok, type Result } from "../../base/result.js";
import { offsetMsOf, offsetText, type TimeZone } from "../../energy-files/time-zone.js";

export type TimeOptions = {
  /** The zone of times that name no offset. If it is left out, such times are refused. */
  readonly zone?: TimeZone | undefined;
  /** Unix ms. */
  readonly nowMs: number;
};

type TimeValue = {
  /** Unix ms; what is finer is cut off. */
  readonly ms: number;
  /** Whether nothing was cut off. */
  readonly isExact: boolean;
};

const timeFormats = "Unix seconds, or ISO 8601 with a time zone";

const example = "2026-11-01T00:00:00+01:00";
/** Numbers that would be further ahead than this are no Unix times, but dates of another make. */
const aheadMsMax = 366 * 86_400_000;

const datePattern = String.raw`(\d{4})-(\d{2})-(\d{2})`;
const clockPattern = String.raw`(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?`;
const zonePattern = String.raw`(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)`;
const timePattern = new RegExp(
  `^${datePattern}(?:[T ]${clockPattern}(?: ?${zonePattern})?)?$`,
  "i",
);

/** The moment that a text means, or why it means none for certain (part of a sentence). */
export function readTime(text: string, options: TimeOptions): Result<TimeValue, string> {
  if (/^\d+$/.test(text)) return unixTime(text, options.nowMs);
  const match = timePattern.exec(text);
  if (match === null) return err(otherText(text));
  const [, year = "", month = "", day = "", hour = "0", minute = "0", second = "0"] = match;
  const [fraction = "", zone] = [match[7], match[8]];
  const midnightMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(midnightMs);
  // Date.UTC turns February 30 into March 1, and the year 24 into 1924.
  if (date.toISOString().slice(0, 10) !== `${year}-${month}-${day}`) {
    return err("there is no such day");
  }
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  const isEndOfDay = Number(hour) === 24 && seconds === 24 * 3600;
  const isClock = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  if (!isClock && !isEndOfDay) return err("there is no such time of day");
  const localMs = midnightMs + seconds * 1000 + Number(fraction.slice(0, 3).padEnd(3, "0"));
  const isExact = /^0*$/.test(fraction.slice(3));
  const moment = momentOf(localMs, zone, options.zone);
  return moment.ok ? ok({ ms: moment.value, isExact }) : moment;
}

/** Whether a text reads differently in one zone than in another. */
export function needsZone(text: string): boolean {
  const match = timePattern.exec(text);
  return match !== null && match[8] === undefined;
}

function unixTime(text: string, nowMs: number): Result<TimeValue, string> {
  const write = `write ISO 8601 with a time zone, such as ${example}`;
  const { length } = text;
  if (length === 10 || length === 13) {
    const ms = Number(text) * (length === 10 ? 1000 : 1);
    if (ms <= nowMs + aheadMsMax) return ok({ ms, isExact: true });
    const when = new Date(ms).toISOString().slice(0, 10);
    return err(`as Unix time it would be ${when}, more than a year ahead; ${write}`);
  }
  if (length === 8) return err(`8 digits look like a date without dashes; ${write}`);
  if (length === 5) return err(`5 digits look like a spreadsheet's number of a day; ${write}`);
  if (length === 12 || length === 14) {
    return err(`${length} digits look like date and time without separators; ${write}`);
  }
  return err(`Unix times have 10 digits in seconds and 13 in milliseconds; ${write}`);
}

function otherText(text: string): string {
  if (/^\d{5}[.,]\d+$/.test(text)) {
    return `it looks like a spreadsheet's number of a day; write ISO 8601, such as ${example}`;
  }
  return `expected ${timeFormats}, such as ${example}`;
}

function momentOf(
  localMs: number,
  offset: string | undefined,
  zone: TimeZone | undefined,
): Result<number, string> {
  if (offset !== undefined) {
    const offsetMs = offsetMsOf(offset);
    return offsetMs === undefined ? err("there is no such time zone") : ok(localMs - offsetMs);
  }
  if (zone === undefined) {
    return err(
      "it has no time zone; write one behind it, such as Z or +01:00, or give --zone for all",
    );
  }
  const [first, second] = zone.momentsOf(localMs);
  if (first === undefined) {
    return err(`clocks in ${zone.name} leave this time out; write it with its offset from UTC`);
  }
  if (second === undefined) return ok(first);
  const offsets = [first, second].map((ms) => offsetText(localMs - ms)).join(" or ");
  return err(`it comes twice in ${zone.name}; write ${offsets} behind it`);
}
