/**
 * A participant that sends what every manager must refuse: full submissions of readings of a meter
 * that is not its own, to all managers at once, without an end. Each submission has one record that
 * is right, so that it is relayed.
 */
import { document, meterReading } from "../../src/client/index.js";
import { type FloodReport, type FloodTarget, flood } from "./flood.js";

const recordsPerSubmission = 1_000;
const inFlight = 2;
const everyMs = 500;

export function refusalFlood(target: FloodTarget, signal: AbortSignal): Promise<FloodReport> {
  const { id } = target.client.profile;
  const hourS = 3_600;
  const startS = Math.floor(Date.now() / 1_000 / hourS) * hourS - 2 * hourS;
  const wrong = () =>
    meterReading({
      ownerId: id,
      meterId: target.foreignMeter,
      intervalS: hourS,
      intervalStartS: startS,
      importedWh: 1,
      exportedWh: 1,
    });
  const right = () =>
    document({
      ownerId: id,
      mediaType: "text/plain",
      name: "note",
      timeMs: Date.now() - 60_000,
      content: new Uint8Array(8),
    });
  // What is refused can be sent again and again for nothing.
  const refused = Array.from({ length: recordsPerSubmission - 1 }, wrong);
  const make = () => [right(), ...refused];
  return flood(target, { make, inFlight, everyMs, signal });
}
