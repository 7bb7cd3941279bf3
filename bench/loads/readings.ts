/**
 * What the loads submit: hourly readings of a participant's meter, and days of its quarter-hour
 * meter as load profiles. There is one value of each interval, so each record is of a time before
 * those made earlier: since 1970 there were half a million hours and 20,000 days for each meter.
 */
import { document, loadProfile, meterReading } from "../../src/client/index.js";
import { type Load, profileValues } from "./load.js";

const hourS = 3_600;

let firstHourS = Math.floor(Date.now() / 1_000 / hourS) * hourS - hourS;
const nextHourS = new Map<string, number>();

/** Leaves out hours that an earlier run may have used: there is one reading of each. */
export function skipHours(count: number): void {
  firstHourS -= count * hourS;
}

/** Readings of the participant's meter, each of an hour before those made earlier. */
export function hourlyReadings(participantId: string, count: number): readonly Uint8Array[] {
  const meterId = participantId.replace("participant", "meter");
  return Array.from({ length: count }, () => {
    const intervalStartS = nextHourS.get(participantId) ?? firstHourS;
    if (intervalStartS <= 0) throw new Error(`${meterId} has a reading of every hour since 1970`);
    nextHourS.set(participantId, intervalStartS - hourS);
    return meterReading({
      ownerId: participantId,
      meterId,
      intervalStartS,
      intervalS: hourS,
      importedWh: 400,
      exportedWh: 1_200,
    });
  });
}

const quarterS = 900;
const dayS = profileValues * quarterS;

const firstDayS = Math.floor(Date.now() / 1_000 / dayS) * dayS - dayS;
/** How many each participant has made. */
const nextProfile = new Map<string, number>();

/** The quarter-hour meters of a participant, beside its hourly one. */
export function quarterMeterIds(participantId: string, count: number): readonly string[] {
  const number = participantId.replace("participant-", "");
  return Array.from({ length: count }, (_, i) => `quarter-${number}-${i + 1}`);
}

/**
 * Load profiles of the participant's quarter-hour meters in turn, a day each. The values have one
 * to two bytes each, as those of homes: a base load, a peak, and the sun at noon.
 */
export function dailyProfiles(
  participantId: string,
  meters: readonly string[],
  count: number,
): readonly Uint8Array[] {
  return Array.from({ length: count }, () => {
    const made = nextProfile.get(participantId) ?? 0;
    nextProfile.set(participantId, made + 1);
    const startS = firstDayS - Math.floor(made / meters.length) * dayS;
    if (startS <= 0) throw new Error(`${participantId} has profiles of every day since 1970`);
    const values = Array.from({ length: profileValues }, (_, quarter) => {
      const sun = Math.max(0, Math.round(900 * Math.sin(((quarter - 24) / 48) * Math.PI)));
      const load = 60 + ((made * 31 + quarter * 17) % 90) + (quarter > 68 ? 300 : 0);
      const exportedWh = Math.max(0, sun - load);
      return { importedWh: Math.max(0, load - sun), exportedWh, quality: "measured" as const };
    });
    const meterId = meters[made % meters.length] ?? "";
    return loadProfile({ ownerId: participantId, meterId, startS, intervalS: quarterS, values });
  });
}

/** What a load makes of a participant with so many quarter-hour meters. */
export function recordsOf(
  { of }: Pick<Load, "of">,
  participantId: string,
  profileMeters: number,
): (count: number) => readonly Uint8Array[] {
  if (of === "readings") return (count) => hourlyReadings(participantId, count);
  const meters = quarterMeterIds(participantId, profileMeters);
  return (count) => dailyProfiles(participantId, meters, count);
}

/** Documents of the participant, each a record of exactly so many bytes. */
export function documentsOf(
  participantId: string,
  recordBytes: number,
  count: number,
): readonly Uint8Array[] {
  const parts = { ownerId: participantId, mediaType: "text/plain", name: "", timeMs: Date.now() };
  const ofContent = (length: number) => document({ ...parts, content: new Uint8Array(length) });
  // A length takes a byte more from 128 on, so the content is found by trying.
  let length = Math.max(1, recordBytes - ofContent(1).length);
  while (ofContent(length).length < recordBytes) length += 1;
  if (ofContent(length).length !== recordBytes) {
    throw new Error(`no document makes a record of ${recordBytes} bytes`);
  }
  return Array.from({ length: count }, () => ofContent(length));
}
