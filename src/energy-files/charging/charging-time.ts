/** Times in messages of charging stations and in charge detail records. */
import { err, ok, type Result } from "../../base/result.js";
import { offsetMsOf, type TimeZone } from "../time-zone.js";

const offsetPattern = String.raw`(Z|[+-]\d{2}(?::?\d{2})?)`;
const timePattern = new RegExp(
  String.raw`^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2}))?(?:[.,]\d{1,12})?\s?${offsetPattern}?$`,
  "i",
);

/**
 * Unix s of a time in the form of RFC 3339, also one without an offset; or why it is none, as part
 * of a sentence. Fractions of a second are cut off.
 */
export function chargingTimeS(text: string, zone: TimeZone | undefined): Result<number, string> {
  const match = timePattern.exec(text);
  const shown = JSON.stringify(text.slice(0, 40));
  if (match === null) return err(`${shown} is no time such as 2026-07-01T10:00:00Z`);
  const [, date = "", clock = "", second = "00", offset] = match;
  const localMs = Date.parse(`${date}T${clock}:${second}Z`);
  // Date.parse turns February 30 into March 1.
  if (Number.isNaN(localMs) || !new Date(localMs).toISOString().startsWith(date)) {
    return err(`there is no such time as ${shown}`);
  }
  if (offset !== undefined) {
    const offsetMs = offsetMsOf(offset);
    if (offsetMs === undefined) return err(`there is no such offset as in ${shown}`);
    return ok((localMs - offsetMs) / 1000);
  }
  if (zone === undefined) return err(`${shown} names no offset from UTC; say which zone it is of`);
  const [first, again] = zone.momentsOf(localMs);
  if (first === undefined) return err(`clocks in ${zone.name} leave ${shown} out`);
  if (again !== undefined) return err(`${shown} comes twice in ${zone.name}`);
  return ok(first / 1000);
}
