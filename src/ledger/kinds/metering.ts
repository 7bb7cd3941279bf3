/**
 * What all that meters measure has to keep, whether it comes as a reading or as a load profile:
 * whose the meter is, where its intervals lie, how much it can carry, and that what was traded
 * stays covered.
 */
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { registeredMeterId, type StateReads } from "../state/state-tables.js";
import type { StoredSums } from "../state/windows.js";
import { isoTimeOfS } from "../times.js";
import { type Violation, violation } from "../violation.js";
import { energyWhMax } from "./energy.js";
import { isIntervalStart, startsAround } from "./market-grid.js";

const secondsPerHour = 3600n;

/** The meter is registered to the owner, and spelled as it is registered. */
export function meterProblem(
  meterId: string,
  ownerId: string,
  state: StateReads,
  field: string,
): Violation | undefined {
  const meter = state.meters.get(meterId);
  if (meter === undefined) {
    return violation("METER_UNKNOWN", `No meter ${meterId} is registered.`, field);
  }
  const registered = registeredMeterId(meterId, meter);
  if (registered !== meterId) {
    const message = `No meter ${meterId} is registered, but ${registered} is.`;
    return violation("METER_UNKNOWN", message, field);
  }
  if (meter.ownerId === ownerId) return undefined;
  const message = `Meter ${meterId} is not registered to ${ownerId}.`;
  return violation("METER_OWNER_MISMATCH", message, field);
}

type MeterInterval = {
  readonly meterId: string;
  /** Unix s. */
  readonly startS: number;
  readonly intervalS: number;
};

/** The interval has the meter's registered length and starts on the market's grid. */
export function gridProblem(
  { meterId, startS, intervalS }: MeterInterval,
  { state, policy }: { readonly state: StateReads; readonly policy: Policy },
  fields: { readonly start: string; readonly interval: string },
): Violation | undefined {
  const meter = state.meters.get(meterId);
  if (meter === undefined) return undefined;
  if (intervalS !== meter.intervalS) {
    const message = `The interval has ${intervalS} s, the meter's has ${meter.intervalS} s.`;
    return violation("INTERVAL_INVALID", message, fields.interval);
  }
  if (isIntervalStart(startS, meter.intervalS, policy)) return undefined;
  const message = startsAround(startS, meter.intervalS, policy);
  return violation("INTERVAL_INVALID", message, fields.start);
}

/** The most that a meter carries in one of its intervals and one direction, Wh. */
export function carriedWhMax(meter: {
  readonly ratedPowerW: bigint;
  readonly intervalS: number;
}): number {
  return Number((meter.ratedPowerW * BigInt(meter.intervalS)) / secondsPerHour);
}

/** Why a participant's sums in the delivery interval from `startS` must not become these. */
export function sumsProblem(
  { exportedWh, importedWh, soldWh, boughtWh }: StoredSums,
  startS: number,
): (Violation & { readonly direction: "imported" | "exported" }) | undefined {
  if (exportedWh < soldWh) {
    const message =
      `Exports of the delivery interval from ${isoTimeOfS(startS)} would fall to ` +
      `${exportedWh} Wh, but ${soldWh} Wh are sold.`;
    return { reason: "EXPORT_BELOW_SOLD", message, direction: "exported" };
  }
  if (importedWh < boughtWh) {
    const message =
      `Imports of the delivery interval from ${isoTimeOfS(startS)} would fall to ` +
      `${importedWh} Wh, but ${boughtWh} Wh are bought.`;
    return { reason: "IMPORT_BELOW_BOUGHT", message, direction: "imported" };
  }
  if (exportedWh <= energyWhMax && importedWh <= energyWhMax) return undefined;
  const message =
    `The sum of the delivery interval from ${isoTimeOfS(startS)} would be above ` +
    `${energyWhMax} Wh.`;
  const direction = exportedWh > energyWhMax ? "exported" : "imported";
  return { reason: "ENERGY_INVALID", message, direction };
}
