/** How far the clocks of a place are ahead of UTC, by the time zone database of Node.js. */

/** At a moment, Unix ms: ms, less than none west of Greenwich. */
export type ZoneOffsets = (unixMs: number) => number;

/** No zone changes its clocks twice within this time, ms. */
const chunkMs = 6 * 3_600_000;
const rememberedMax = 10_000;

/** Of a name such as "Europe/Berlin"; undefined for any other text. */
export function zoneOffsets(zone: string): ZoneOffsets | undefined {
  // Names such as "EST" are taken by Intl as well; what is meant by them differs.
  if (!/^[A-Za-z_]+\/[A-Za-z0-9_+\-/]+$/.test(zone)) return undefined;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  } catch {
    return undefined;
  }
  const ask = (unixMs: number) => offsetMsOf(format.formatToParts(unixMs));
  const starts = new Map<number, number>();
  const atStartOf = (chunk: number) => {
    const known = starts.get(chunk);
    if (known !== undefined) return known;
    if (starts.size === rememberedMax) starts.clear();
    const offsetMs = ask(chunk * chunkMs);
    starts.set(chunk, offsetMs);
    return offsetMs;
  };
  // Asking takes long. What holds at both ends of a chunk of time holds within, and moments mostly
  // follow each other, so the chunk of the last one is kept.
  let kept: number | undefined;
  let constant: number | undefined;
  return (unixMs) => {
    const chunk = Math.floor(unixMs / chunkMs);
    if (chunk !== kept) {
      const offsetMs = atStartOf(chunk);
      constant = offsetMs === atStartOf(chunk + 1) ? offsetMs : undefined;
      kept = chunk;
    }
    return constant ?? ask(unixMs);
  };
}

/** "GMT", "GMT-08:00", and "GMT+00:53:28" of times long ago. */
function offsetMsOf(parts: readonly Intl.DateTimeFormatPart[]): number {
  const text = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const match = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (match === null) return 0;
  const [, sign, hours, minutes, seconds = "0"] = match;
  const totalS = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return (sign === "-" ? -totalS : totalS) * 1_000;
}
