/** Charging sessions of electric vehicles. */
import { ok, type Result } from "../../base/result.js";
import { RecordKind as StoredKind } from "../../gen/bss/store/v1/state_pb.js";
import type { ChargingSession } from "../../gen/bss/v1/record_pb.js";
import { deviceIdForm, isDeviceId } from "../ids.js";
import { isUnixSeconds, spanSMax, whyBeforeEnd } from "../times.js";
import { refuse, type Violation, violation } from "../violation.js";
import { energyWhMax } from "./energy.js";
import type { RecordKind, Rule } from "./kind.js";

export type SessionPayload = {
  readonly kind: "chargingSession";
  readonly stationId: string;
  /** Unix s. */
  readonly startS: number;
  /** Unix s. */
  readonly endS: number;
  readonly energyWh: bigint;
};

const sessionIsPlausible: Rule<SessionPayload> = {
  id: "session-is-plausible",
  demands:
    "A charging session names its station by an id, ends after its start, within 366 days, and charged energy.",
  reasons: ["SESSION_INVALID"],
  check({ record: { payload } }) {
    const broken = (name: string, message: string) =>
      violation("SESSION_INVALID", message, `charging_session.${name}`);
    if (!isDeviceId(payload.stationId)) {
      return broken("station_id", `The station id is not ${deviceIdForm}.`);
    }
    if (payload.endS <= payload.startS) {
      return broken("end_unix_s", "The session does not end after its start.");
    }
    if (payload.endS - payload.startS > spanSMax) {
      return broken("start_unix_s", "The session starts more than 366 days before its end.");
    }
    if (payload.energyWh === 0n) return broken("energy_wh", "No energy was charged.");
    return undefined;
  },
};

export const chargingSession: RecordKind<ChargingSession, SessionPayload> = {
  label: "charging-session",
  stored: StoredKind.CHARGING_SESSION,
  parse,
  rules: [sessionIsPlausible],
  signatureRules: [],
  whyTooEarly: ({ endS }, timeMs) => whyBeforeEnd(endS, timeMs),
  addStateKeys: () => undefined,
  energy: () => [],
  apply: () => undefined,
  intervals: () => 0,
  decodedBytes: () => 0,
  parties: () => [],
  meterIds: () => [],
};

/** Refuses with SESSION_INVALID or ENERGY_INVALID. */
function parse(session: ChargingSession): Result<SessionPayload, Violation> {
  const { stationId, startUnixS, endUnixS, energyWh } = session;
  if (!isUnixSeconds(startUnixS) || !isUnixSeconds(endUnixS)) {
    const name = isUnixSeconds(startUnixS) ? "end_unix_s" : "start_unix_s";
    return refuse(
      "SESSION_INVALID",
      "The session's times are out of range.",
      `charging_session.${name}`,
    );
  }
  if (energyWh > energyWhMax) {
    return refuse("ENERGY_INVALID", "The energy is out of range.", "charging_session.energy_wh");
  }
  return ok({
    kind: "chargingSession",
    stationId,
    startS: Number(startUnixS),
    endS: Number(endUnixS),
    energyWh,
  });
}
