/**
 * What clocks of a place show at a moment. Zones come from the IANA time zone database that
 * Node.js carries, so two parties that compute with very old and very new versions may differ about
 * a zone whose rules were changed in between.
 */

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
/** No zone changes its clocks twice within this time. */
const chunkS = 6 * 3600;
/** 1970-01-01 was a Thursday. */
const firstWeekday = 4;

/** Undefined for what is neither "UTC" nor a name such as "Europe/Berlin". */
export function localClock(zone: string): LocalClock | undefined {
  const offsetAt = zone === "UTC" ? () => 0 : offsets(zone);
  if (offsetAt === undefined) return undefined;
  return (unixS) => {
    const localS = unixS + offsetAt(unixS);
    const day = Math.floor(localS / daySeconds);
    const minute = Math.floor((localS - day * daySeconds) / 60);
    return { day, weekday: (((day + firstWeekday) % 7) + 7) % 7, minute };
  };
}

/** How far clocks are ahead of UTC, s. What holds at both ends of a chunk of time holds within. */
function offsets(zone: string): ((unixS: number) => number) | undefined {
  // Names such as "EST" are taken by Intl as well; what is meant by them differs.
  if (!/^[A-Za-z_]+\/[A-Za-z0-9_+\-/]+$/.test(zone)) return undefined;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  } catch {
    return undefined;
  }
  const ask = (unixS: number) => offsetOf(format.formatToParts(unixS * 1000));
  const starts = new Map<number, number>();
  const atStartOf = (chunk: number) => {
    const offset = starts.get(chunk) ?? ask(chunk * chunkS);
    starts.set(chunk, offset);
    return offset;
  };
  // Moments mostly follow each other, so the chunk of the last one is kept.
  let kept: number | undefined;
  let constant: number | undefined;
  return (unixS) => {
    const chunk = Math.floor(unixS / chunkS);
    if (chunk !== kept) {
      const offset = atStartOf(chunk);
      constant = offset === atStartOf(chunk + 1) ? offset : undefined;
      kept = chunk;
    }
    return constant ?? ask(unixS);
  };
}

/** "GMT", "GMT-08:00", and "GMT+00:53:28" of times long ago. */
function offsetOf(parts: readonly Intl.DateTimeFormatPart[]): number {
  const text = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const match = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (match === null) return 0;
  const [, sign, hours, minutes, seconds = "0"] = match;
  const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return sign === "-" ? -total : total;
}
