/**
 * A participant that sends as many records as it can, all of them right: full submissions of
 * documents, to all managers at once, without an end.
 */
import { document } from "../../src/client/index.js";
import { type FloodReport, type FloodTarget, flood } from "./flood.js";

const recordsPerSubmission = 1_000;
const inFlight = 4;
const everyMs = 2_000;

export function legalFlood(target: FloodTarget, signal: AbortSignal): Promise<FloodReport> {
  const note = () =>
    document({
      ownerId: target.client.profile.id,
      mediaType: "text/plain",
      name: "note",
      content: new Uint8Array(200),
      timeMs: Date.now() - 60_000,
    });
  const make = () => Array.from({ length: recordsPerSubmission }, note);
  return flood(target, { make, inFlight, everyMs, signal });
}
