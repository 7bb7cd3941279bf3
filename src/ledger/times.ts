/** Times as messages for people show them: ISO 8601 in UTC. */

/** `Date` knows the times from 271822 BC to AD 275760, ms around 1970. */
const dateMsMax = 8_640_000_000_000_000;

/** "2024-07-01T00:15:00Z" of whole Unix s; years of more than four digits have a sign. */
export function isoTimeOfS(unixS: number): string {
  return isoTimeOfMs(unixS * 1000);
}

/** The same of whole Unix ms, with three decimal places when there is a fraction of a second. */
export function isoTimeOfMs(unixMs: number): string {
  if (Math.abs(unixMs) > dateMsMax) return `${unixMs} ms after 1970`;
  return new Date(unixMs).toISOString().replace(".000Z", "Z");
}
