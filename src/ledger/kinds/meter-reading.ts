/** Meter readings: by the owner's own meter, one per interval, within what the meter can carry. */
import { ok, type Result } from "../../base/result.js";
import { RecordKind as StoredKind } from "../../gen/bss/store/v1/state_pb.js";
import type { MeterReading } from "../../gen/bss/v1/record_pb.js";
import { deviceIdForm, isDeviceId } from "../ids.js";
import type { RecordPlace } from "../state/record-state.js";
import type { StateReads, StateTables } from "../state/state-tables.js";
import type { WindowSlot } from "../state/windows.js";
import { isoTimeOfS, isUnixSeconds, whyBeforeEnd } from "../times.js";
import { refuse, type Violation, violation } from "../violation.js";
import {
  type EnergySums,
  energySums,
  energyWhMax,
  putEnergySums,
  useOfDelivery,
} from "./energy.js";
import type { Kept, ParseContext, RecordKind, RecordOf, Rule } from "./kind.js";
import { deliverySlotOf, deliveryStartOf, windowSlotOf } from "./market-grid.js";
import { carriedWhMax, gridProblem, meterProblem, sumsProblem } from "./metering.js";

export type ReadingPayload = {
  readonly kind: "meterReading";
  readonly meterId: string;
  /** Unix s, not negative; whether it is aligned is a rule. */
  readonly intervalStartS: number;
  readonly intervalS: number;
  /** At most `energyWhMax`. */
  readonly importedWh: number;
  /** At most `energyWhMax`. */
  readonly exportedWh: number;
  /** Where the state keeps what stands for the interval. */
  readonly at: WindowSlot;
  /** Start of the delivery interval that the reading's interval lies in. */
  readonly deliveryStartS: number;
  /** Where the state keeps the sums of the delivery interval. */
  readonly deliveryAt: WindowSlot;
};

const meterBelongsToOwner: Rule<ReadingPayload> = {
  id: "meter-belongs-to-owner",
  demands:
    "A reading's meter is registered to the record's owner, and spelled as it is registered.",
  reasons: ["METER_UNKNOWN", "METER_OWNER_MISMATCH"],
  check: ({ record: { payload, ownerId }, state }) =>
    meterProblem(payload.meterId, ownerId, state, "meter_reading.meter_id"),
};

const readingIntervalIsAligned: Rule<ReadingPayload> = {
  id: "reading-interval-is-aligned",
  demands:
    "A reading's interval has the meter's registered length and starts on the market's grid.",
  reasons: ["INTERVAL_INVALID"],
  check({ record: { payload }, ...context }) {
    const { meterId, intervalStartS: startS, intervalS } = payload;
    return gridProblem({ meterId, startS, intervalS }, context, {
      start: "meter_reading.interval_start_unix_s",
      interval: "meter_reading.interval_s",
    });
  },
};

/**
 * Intervals are aligned and all of one length, so two readings of a meter overlap only if
 * they start together.
 */
const readingIntervalIsFree: Rule<ReadingPayload> = {
  id: "reading-interval-is-free",
  demands:
    "No other reading of the meter covers the interval, but for the one that the reading updates.",
  reasons: ["INTERVAL_OVERLAP", "PARENT_KIND_MISMATCH"],
  check({ record: { payload, parent }, state }) {
    const { meterId, intervalStartS, at } = payload;
    const standing = state.readings.get(meterId, at);
    if (standing === undefined) {
      if (parent === undefined) return undefined;
      const message = "An update keeps the meter and the interval of what it updates.";
      return violation("PARENT_KIND_MISMATCH", message, "parent");
    }
    if (parent !== undefined && state.records.get(parent)?.position === standing.position) {
      return undefined;
    }
    const start = isoTimeOfS(intervalStartS);
    const message = `Meter ${meterId} has a reading of the interval from ${start} already.`;
    const field = "meter_reading.interval_start_unix_s";
    const { position } = standing;
    return { ...violation("INTERVAL_OVERLAP", message, field), standing: { position } };
  },
};

const readingIsWithinRating: Rule<ReadingPayload> = {
  id: "reading-is-within-rating",
  demands:
    "In each direction, energy × 3600 s/h is at most the meter's rated power × the interval.",
  reasons: ["ENERGY_ABOVE_RATING"],
  check({ record: { payload }, state }) {
    const meter = state.meters.get(payload.meterId);
    if (meter === undefined) return undefined;
    const mostWh = carriedWhMax(meter);
    for (const [name, energyWh] of [
      ["imported_wh", payload.importedWh],
      ["exported_wh", payload.exportedWh],
    ] as const) {
      if (energyWh <= mostWh) continue;
      const message = `${energyWh} Wh is more than ${meter.ratedPowerW} W carry in ${meter.intervalS} s.`;
      return violation("ENERGY_ABOVE_RATING", message, `meter_reading.${name}`);
    }
    return undefined;
  },
};

const readingCoversTrades: Rule<ReadingPayload> = {
  id: "reading-covers-trades",
  demands:
    "An update of a reading leaves exports at least what is sold and imports at least what is bought in the delivery interval.",
  reasons: ["EXPORT_BELOW_SOLD", "IMPORT_BELOW_BOUGHT", "ENERGY_INVALID"],
  check({ record: { payload, ownerId }, state }) {
    const sums = sumsWithReading(state, ownerId, payload);
    const problem = sumsProblem(sums, payload.deliveryStartS);
    if (problem === undefined) return undefined;
    const { reason, message, direction } = problem;
    return violation(reason, message, `meter_reading.${direction}_wh`);
  },
};

export const meterReading: RecordKind<MeterReading, ReadingPayload> = {
  label: "meter-reading",
  stored: StoredKind.METER_READING,
  parse,
  rules: [
    meterBelongsToOwner,
    readingIntervalIsAligned,
    readingIntervalIsFree,
    readingIsWithinRating,
    readingCoversTrades,
  ],
  signatureRules: [],
  whyTooEarly: ({ intervalStartS, intervalS }, timeMs) =>
    whyBeforeEnd(intervalStartS + intervalS, timeMs),
  addStateKeys({ payload: { meterId, at } }, list) {
    list.meter(meterId);
    list.readings(meterId, at.window);
  },
  // Its updates are readings of the same interval, and nothing else takes a reading away.
  standsFor: (payload) => payload,
  energy: ({ ownerId, payload }) => [useOfDelivery(ownerId, payload, "measured")],
  apply,
  intervals: () => 1,
  decodedBytes: () => 0,
  parties: () => [],
  meterIds: ({ meterId }) => [meterId],
};

/** Refuses with RECORD_MALFORMED, INTERVAL_INVALID or ENERGY_INVALID. */
function parse(reading: MeterReading, { grid }: ParseContext): Result<ReadingPayload, Violation> {
  const { meterId, intervalStartUnixS, intervalS, importedWh, exportedWh } = reading;
  if (!isDeviceId(meterId)) {
    const message = `The meter id is not ${deviceIdForm}.`;
    return refuse("RECORD_MALFORMED", message, "meter_reading.meter_id");
  }
  const intervalStartS = Number(intervalStartUnixS);
  const deliveryStartS = deliveryStartOf(intervalStartS, grid);
  // The first seconds of 1970 may lie in a delivery interval that starts before them.
  if (!isUnixSeconds(intervalStartUnixS) || deliveryStartS < 0) {
    return refuse(
      "INTERVAL_INVALID",
      "The interval's start is out of range.",
      "meter_reading.interval_start_unix_s",
    );
  }
  if (importedWh > energyWhMax || exportedWh > energyWhMax) {
    const name = importedWh > energyWhMax ? "imported_wh" : "exported_wh";
    return refuse("ENERGY_INVALID", "The energy is out of range.", `meter_reading.${name}`);
  }
  return ok({
    kind: "meterReading",
    meterId,
    intervalStartS,
    intervalS,
    importedWh: Number(importedWh),
    exportedWh: Number(exportedWh),
    // An interval of 0 s is no meter's; a rule refuses it before it is looked up.
    at: windowSlotOf(intervalStartS, Math.max(1, intervalS), grid),
    deliveryStartS,
    deliveryAt: deliverySlotOf(deliveryStartS, grid),
  });
}

/**
 * The owner's sums when `reading` replaces the one that stands for its interval, if there is one.
 * They may break the invariant of `EnergySums`, which the rules find out.
 */
function sumsWithReading(state: StateReads, ownerId: string, reading: ReadingPayload): EnergySums {
  const { importedWh, exportedWh, soldWh, boughtWh } = energySums(
    state,
    ownerId,
    reading.deliveryAt,
  );
  const before = state.readings.get(reading.meterId, reading.at);
  return {
    importedWh: importedWh - (before?.importedWh ?? 0) + reading.importedWh,
    exportedWh: exportedWh - (before?.exportedWh ?? 0) + reading.exportedWh,
    soldWh,
    boughtWh,
  };
}

function apply(
  tables: StateTables,
  record: RecordOf<ReadingPayload>,
  { position }: RecordPlace,
): Kept {
  const { meterId, at, deliveryAt, importedWh, exportedWh } = record.payload;
  const sums = sumsWithReading(tables, record.ownerId, record.payload);
  putEnergySums(tables, record.ownerId, deliveryAt, sums);
  tables.readings.put([meterId, at], { importedWh, exportedWh, position });
  return undefined;
}
