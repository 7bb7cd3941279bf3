/** Charging sessions. */
import { deviceIdForm, isDeviceId } from "../ids.js";
import { violation } from "../violation.js";
import { spanSMax } from "./common.js";
import type { Rule } from "./rule.js";

export const sessionIsPlausible: Rule = {
  id: "session-is-plausible",
  demands:
    "A charging session names its station by an id, ends after its start, within 366 days, and charged energy.",
  reasons: ["SESSION_INVALID"],
  check({ record: { payload } }) {
    if (payload.kind !== "charging-session") return undefined;
    const refuse = (name: string, message: string) =>
      violation("SESSION_INVALID", message, `charging_session.${name}`);
    if (!isDeviceId(payload.stationId)) {
      return refuse("station_id", `The station id is not ${deviceIdForm}.`);
    }
    if (payload.endS <= payload.startS) {
      return refuse("end_unix_s", "The session does not end after its start.");
    }
    if (payload.endS - payload.startS > spanSMax) {
      return refuse("start_unix_s", "The session starts more than 366 days before its end.");
    }
    if (payload.energyWh === 0n) return refuse("energy_wh", "No energy was charged.");
    return undefined;
  },
};
