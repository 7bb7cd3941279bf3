/** Meter readings: by the owner's own meter, one per interval, within what the meter can carry. */
import { equalBytes } from "../../base/bytes.js";
import { energySums, sumsWithReading } from "../records/energy.js";
import { isIntervalStart, startsAround } from "../records/market-grid.js";
import { energyWhMax } from "../records/payloads.js";
import { registeredMeterId } from "../state/state-tables.js";
import { isoTimeOfS } from "../times.js";
import { violation } from "../violation.js";
import type { Rule } from "./rule.js";

const secondsPerHour = 3600n;

export const meterBelongsToOwner: Rule = {
  id: "meter-belongs-to-owner",
  demands:
    "A reading's meter is registered to the record's owner, and spelled as it is registered.",
  reasons: ["METER_UNKNOWN", "METER_OWNER_MISMATCH"],
  check({ record: { payload, ownerId }, state }) {
    if (payload.kind !== "meter-reading") return undefined;
    const meter = state.meters.get(payload.meterId);
    const field = "meter_reading.meter_id";
    if (meter === undefined) {
      return violation("METER_UNKNOWN", `No meter ${payload.meterId} is registered.`, field);
    }
    const registered = registeredMeterId(payload.meterId, meter);
    if (registered !== payload.meterId) {
      const message = `No meter ${payload.meterId} is registered, but ${registered} is.`;
      return violation("METER_UNKNOWN", message, field);
    }
    if (meter.ownerId === ownerId) return undefined;
    const message = `Meter ${payload.meterId} is not registered to ${ownerId}.`;
    return violation("METER_OWNER_MISMATCH", message, field);
  },
};

export const readingIntervalIsAligned: Rule = {
  id: "reading-interval-is-aligned",
  demands:
    "A reading's interval has the meter's registered length and starts on the market's grid.",
  reasons: ["INTERVAL_INVALID"],
  check({ record: { payload }, state, policy }) {
    if (payload.kind !== "meter-reading") return undefined;
    const meter = state.meters.get(payload.meterId);
    if (meter === undefined) return undefined;
    if (payload.intervalS !== meter.intervalS) {
      const message = `The interval has ${payload.intervalS} s, the meter's has ${meter.intervalS} s.`;
      return violation("INTERVAL_INVALID", message, "meter_reading.interval_s");
    }
    if (isIntervalStart(payload.intervalStartS, meter.intervalS, policy)) return undefined;
    const message = startsAround(payload.intervalStartS, meter.intervalS, policy);
    return violation("INTERVAL_INVALID", message, "meter_reading.interval_start_unix_s");
  },
};

/**
 * Intervals are aligned and all of one length, so two readings of a meter overlap only if
 * they start together.
 */
export const readingIntervalIsFree: Rule = {
  id: "reading-interval-is-free",
  demands:
    "No other reading of the meter covers the interval, but for the one that the reading updates.",
  reasons: ["INTERVAL_OVERLAP", "PARENT_KIND_MISMATCH"],
  check({ record: { payload, parent }, state }) {
    if (payload.kind !== "meter-reading") return undefined;
    const { meterId, intervalStartS } = payload;
    const standing = state.readings.get(meterId, intervalStartS);
    if (standing === undefined) {
      if (parent === undefined) return undefined;
      const message = "An update keeps the meter and the interval of what it updates.";
      return violation("PARENT_KIND_MISMATCH", message, "parent");
    }
    if (parent !== undefined && equalBytes(standing.recordHash, parent)) return undefined;
    const start = isoTimeOfS(intervalStartS);
    const message = `Meter ${meterId} has a reading of the interval from ${start} already.`;
    return violation("INTERVAL_OVERLAP", message, "meter_reading.interval_start_unix_s");
  },
};

export const readingIsWithinRating: Rule = {
  id: "reading-is-within-rating",
  demands:
    "In each direction, energy × 3600 s/h is at most the meter's rated power × the interval.",
  reasons: ["ENERGY_ABOVE_RATING"],
  check({ record: { payload }, state }) {
    if (payload.kind !== "meter-reading") return undefined;
    const meter = state.meters.get(payload.meterId);
    if (meter === undefined) return undefined;
    const limit = meter.ratedPowerW * BigInt(meter.intervalS);
    for (const [name, energyWh] of [
      ["imported_wh", payload.importedWh],
      ["exported_wh", payload.exportedWh],
    ] as const) {
      if (energyWh * secondsPerHour <= limit) continue;
      const message = `${energyWh} Wh is more than ${meter.ratedPowerW} W carry in ${meter.intervalS} s.`;
      return violation("ENERGY_ABOVE_RATING", message, `meter_reading.${name}`);
    }
    return undefined;
  },
};

export const readingCoversTrades: Rule = {
  id: "reading-covers-trades",
  demands:
    "An update of a reading leaves exports at least what is sold and imports at least what is bought in the delivery interval.",
  reasons: ["EXPORT_BELOW_SOLD", "IMPORT_BELOW_BOUGHT", "ENERGY_INVALID"],
  check({ record: { payload, ownerId }, state }) {
    if (payload.kind !== "meter-reading") return undefined;
    const { soldWh, boughtWh } = energySums(state, ownerId, payload.deliveryStartS);
    const { exportedWh, importedWh } = sumsWithReading(state, ownerId, payload);
    if (exportedWh < soldWh) {
      const message = `Exports would fall to ${exportedWh} Wh, but ${soldWh} Wh are sold.`;
      return violation("EXPORT_BELOW_SOLD", message, "meter_reading.exported_wh");
    }
    if (importedWh < boughtWh) {
      const message = `Imports would fall to ${importedWh} Wh, but ${boughtWh} Wh are bought.`;
      return violation("IMPORT_BELOW_BOUGHT", message, "meter_reading.imported_wh");
    }
    if (exportedWh <= energyWhMax && importedWh <= energyWhMax) return undefined;
    const name = exportedWh > energyWhMax ? "exported_wh" : "imported_wh";
    const message = `The sum of the delivery interval would be above ${energyWhMax} Wh.`;
    return violation("ENERGY_INVALID", message, `meter_reading.${name}`);
  },
};
