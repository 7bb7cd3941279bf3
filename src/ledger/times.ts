/** Times that records name: which of them are possible, and how messages show them to people. */

/**
 * The latest second that times may name, some 139,000 years ahead: its milliseconds are exact
 * in a double.
 */
export const unixSecondsMax = 2 ** 42;

/** The longest time from the agreement on a trade to its delivery, and that a session lasts. */
export const spanSMax = 366 * 86_400;

/** `Date` knows the times from 271822 BC to AD 275760, ms around 1970. */
const dateMsMax = 8_640_000_000_000_000;

/** Whether a message's time, in s, is one that the code can hold. */
export function isUnixSeconds(value: bigint): boolean {
  return value >= 0n && value <= BigInt(unixSecondsMax);
}

/** Why a time, Unix ms, is too early for what ends at `endS`, Unix s, in a sentence. */
export function whyBeforeEnd(endS: number, timeMs: number): string | undefined {
  if (timeMs >= endS * 1000) return undefined;
  return `The time is before the end of what is recorded, ${isoTimeOfS(endS)}.`;
}

/** "2024-07-01T00:15:00Z" of whole Unix s; years of more than four digits have a sign. */
export function isoTimeOfS(unixS: number): string {
  return isoTimeOfMs(unixS * 1000);
}

/** The same of whole Unix ms, with three decimal places when there is a fraction of a second. */
export function isoTimeOfMs(unixMs: number): string {
  if (!(Math.abs(unixMs) <= dateMsMax)) return `${unixMs} ms after 1970`;
  return new Date(unixMs).toISOString().replace(".000Z", "Z");
}
