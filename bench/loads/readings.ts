/**
 * What the loads submit: hourly readings of a participant's meter. There is one reading of each
 * hour, so each one made is of an hour before those made earlier, of about half a million hours
 * since 1970 for each meter.
 */
import { document, meterReading } from "../../src/client/index.js";

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
