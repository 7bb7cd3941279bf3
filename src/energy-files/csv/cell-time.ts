/** Times of CSV cells, in a closed list of formats. What they leave open is never guessed. */
import { err, ok, type Result } from "../../base/result.js";
import { offsetMsOf } from "../time-zone.js";

export const timeFormats = [
  "iso",
  "dd.mm.yyyy",
  "dd/mm/yyyy",
  "mm/dd/yyyy",
  "dd-mm-yyyy",
  "yyyy/mm/dd",
  "yyyy.mm.dd",
  "yyyymmdd",
  "unix-s",
  "unix-ms",
  "count",
] as const;
/**
 * How the date is written; a time of day follows as hh:mm or hh:mm:ss, with am or pm or without,
 * and may be followed by an offset from UTC. "count" numbers the intervals, from 1.
 */
export type TimeFormat = (typeof timeFormats)[number];

export type CellTime = {
  /** What clocks show, as ms of a UTC that shows the same; or Unix ms, if `isUnix`. */
  readonly localMs: number;
  readonly isUnix: boolean;
};

type DateFormat = Exclude<TimeFormat, "unix-s" | "unix-ms" | "count">;

const clock = String.raw`(?<hour>\d{1,2}):?(?<minute>\d{2})(?::?(?<second>\d{2})(?:[.,]0+)?)?(?: ?(?<half>[AaPp])\.?[Mm]\.?)?`;
const offset = String.raw`(?: ?(?<offset>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?`;
const [yyyy, mm, dd] = [
  String.raw`(?<year>\d{4})`,
  String.raw`(?<month>\d{1,2})`,
  String.raw`(?<day>\d{1,2})`,
];

const patterns: Readonly<Record<DateFormat, RegExp>> = {
  iso: pattern(`${yyyy}-${mm}-${dd}`),
  "dd.mm.yyyy": pattern(`${dd}\\.${mm}\\.${yyyy}`),
  "dd/mm/yyyy": pattern(`${dd}/${mm}/${yyyy}`),
  "mm/dd/yyyy": pattern(`${mm}/${dd}/${yyyy}`),
  "dd-mm-yyyy": pattern(`${dd}-${mm}-${yyyy}`),
  "yyyy/mm/dd": pattern(`${yyyy}/${mm}/${dd}`),
  "yyyy.mm.dd": pattern(`${yyyy}\\.${mm}\\.${dd}`),
  yyyymmdd: pattern(String.raw`(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})`),
};

/** Reads a cell of any format but "count"; the error is half a sentence. */
export function cellTime(text: string, format: TimeFormat): Result<CellTime, string> {
  if (format === "unix-s" || format === "unix-ms" || format === "count") {
    const digits = format === "unix-ms" ? 13 : 10;
    const isRight = /^\d+$/.test(text) && text.length === digits;
    if (!isRight) return err(`expected Unix time of ${digits} digits`);
    const ms = Number(text) * (format === "unix-ms" ? 1 : 1000);
    return ms % 1000 === 0 ? ok({ localMs: ms, isUnix: true }) : err("expected whole seconds");
  }
  const groups = patterns[format].exec(text)?.groups;
  if (groups === undefined) return err(`expected a time such as ${exampleOf(format)}`);
  const { year, month, day } = groups;
  const midnightMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const date = new Date(midnightMs);
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) {
    return err("there is no such day");
  }
  const seconds = secondsOf(groups);
  if (seconds === undefined) return err("there is no such time of day");
  const localMs = midnightMs + seconds * 1000;
  if (groups.offset === undefined) return ok({ localMs, isUnix: false });
  const offsetMs = offsetMsOf(groups.offset);
  if (offsetMs === undefined) return err("there is no such offset from UTC");
  return ok({ localMs: localMs - offsetMs, isUnix: true });
}

/** "31.12.2026 23:45". */
export function exampleOf(format: TimeFormat): string {
  if (format === "count") return "1";
  if (format === "unix-s") return "1798760700";
  if (format === "unix-ms") return "1798760700000";
  const date = format === "iso" ? "yyyy-mm-dd" : format;
  return `${date.replace("dd", "31").replace("mm", "12").replace("yyyy", "2026")} 23:45`;
}

function pattern(date: string): RegExp {
  return new RegExp(`^${date}(?:[T ]?${clock}${offset})?$`);
}

type Groups = Readonly<Record<string, string | undefined>>;

/** s after midnight; 24:00 is the end of the day. */
function secondsOf({ hour = "0", minute = "0", second = "0", half }: Groups): number | undefined {
  const [hours, minutes, rest] = [Number(hour), Number(minute), Number(second)];
  if (minutes > 59 || rest > 59) return undefined;
  if (half !== undefined) {
    if (hours < 1 || hours > 12) return undefined;
    const isAfternoon = half.toLowerCase() === "p";
    return ((hours % 12) + (isAfternoon ? 12 : 0)) * 3600 + minutes * 60 + rest;
  }
  const seconds = hours * 3600 + minutes * 60 + rest;
  return hours < 24 || seconds === 86_400 ? seconds : undefined;
}
