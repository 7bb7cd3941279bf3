/**
 * Load profiles: what one meter measured in consecutive intervals, under one signature, hash and
 * seal. A profile counts as its values would count as meter readings, value by value.
 */
import { ok, type Result } from "../../base/result.js";
import { RecordKind as StoredKind } from "../../gen/bss/store/v1/state_pb.js";
import { type LoadProfile, ValueQuality } from "../../gen/bss/v1/record_pb.js";
import { deviceIdForm, isDeviceId } from "../ids.js";
import type { RecordPlace } from "../state/record-state.js";
import { registeredMeterId, type StateReads, type StateTables } from "../state/state-tables.js";
import type { WindowSlot } from "../state/windows.js";
import { isoTimeOfS, isUnixSeconds, whyBeforeEnd } from "../times.js";
import { refuse, type Violation, violation } from "../violation.js";
import { type EnergySums, energySums, energyWhMax, putEnergySums } from "./energy.js";
import type { Kept, ParseContext, RecordKind, RecordOf, Rule } from "./kind.js";
import {
  deliverySlotOf,
  deliveryStartOf,
  isIntervalStart,
  startsAround,
  windowSlotOf,
} from "./market-grid.js";

export type ProfilePayload = {
  readonly kind: "loadProfile";
  readonly meterId: string;
  /** Unix s, not negative; whether it is aligned is a rule. */
  readonly startS: number;
  readonly intervalS: number;
  /** Intervals, with a value or without. */
  readonly intervalCount: number;
  /** In order of time. */
  readonly values: readonly ProfileValue[];
  /** Places of intervals that are absent. */
  readonly absent: readonly WindowSlot[];
  /** What the values change, by delivery interval, in order of time. */
  readonly deliveries: readonly Delivery[];
};

export type ProfileValue = {
  readonly startS: number;
  readonly importedWh: number;
  readonly exportedWh: number;
  /** Where the state keeps what stands for the interval. */
  readonly at: WindowSlot;
};

type Delivery = {
  readonly deliveryStartS: number;
  readonly deliveryAt: WindowSlot;
  /** Places of all intervals of the profile that lie in it. */
  readonly slots: readonly WindowSlot[];
  readonly importedWh: bigint;
  readonly exportedWh: bigint;
};

/** The longest profile, s. */
export const profileSMax = 31 * 86_400;

const secondsPerHour = 3600n;

const profileMeterBelongsToOwner: Rule<ProfilePayload> = {
  id: "profile-meter-belongs-to-owner",
  demands:
    "A profile's meter is registered to the record's owner, and spelled as it is registered.",
  reasons: ["METER_UNKNOWN", "METER_OWNER_MISMATCH"],
  check({ record: { payload, ownerId }, state }) {
    const meter = state.meters.get(payload.meterId);
    const field = "load_profile.meter_id";
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

const profileIntervalsAreAligned: Rule<ProfilePayload> = {
  id: "profile-intervals-are-aligned",
  demands:
    "A profile's intervals have the meter's registered length and start on the market's grid.",
  reasons: ["INTERVAL_INVALID"],
  check({ record: { payload }, state, policy }) {
    const meter = state.meters.get(payload.meterId);
    if (meter === undefined) return undefined;
    if (payload.intervalS !== meter.intervalS) {
      const message = `The interval has ${payload.intervalS} s, the meter's has ${meter.intervalS} s.`;
      return violation("INTERVAL_INVALID", message, "load_profile.interval_s");
    }
    if (isIntervalStart(payload.startS, meter.intervalS, policy)) return undefined;
    const message = startsAround(payload.startS, meter.intervalS, policy);
    return violation("INTERVAL_INVALID", message, "load_profile.start_unix_s");
  },
};

const profileKeepsRange: Rule<ProfilePayload> = {
  id: "profile-update-keeps-range",
  demands: "An update of a profile keeps the meter, the start and the number of intervals.",
  reasons: ["PARENT_KIND_MISMATCH"],
  check({ record: { payload, parent }, state }) {
    if (parent === undefined) return undefined;
    const before = state.records.get(parent)?.profile;
    if (
      before !== undefined &&
      before.meterId === payload.meterId &&
      before.startS === payload.startS &&
      before.intervalCount === payload.intervalCount
    ) {
      return undefined;
    }
    const message = "An update keeps the meter, the start and the number of intervals.";
    return violation("PARENT_KIND_MISMATCH", message, "parent");
  },
};

const profileIntervalsAreFree: Rule<ProfilePayload> = {
  id: "profile-intervals-are-free",
  demands:
    "No other reading or profile of the meter has a value for an interval that the profile has one for.",
  reasons: ["INTERVAL_OVERLAP"],
  check({ record: { payload, parent }, state }) {
    const own = parent === undefined ? undefined : state.records.get(parent)?.position;
    for (const { at, startS } of payload.values) {
      const standing = state.readings.get(payload.meterId, at);
      if (standing === undefined || standing.position === own) continue;
      const start = isoTimeOfS(startS);
      const message = `Meter ${payload.meterId} has a reading of the interval from ${start} already.`;
      return violation("INTERVAL_OVERLAP", message, "load_profile.start_unix_s");
    }
    return undefined;
  },
};

const profileIsWithinRating: Rule<ProfilePayload> = {
  id: "profile-is-within-rating",
  demands:
    "In each interval and direction, energy × 3600 s/h is at most the meter's rated power × the interval.",
  reasons: ["ENERGY_ABOVE_RATING"],
  check({ record: { payload }, state }) {
    const meter = state.meters.get(payload.meterId);
    if (meter === undefined) return undefined;
    const limitWh = (meter.ratedPowerW * BigInt(meter.intervalS)) / secondsPerHour;
    for (const { startS, importedWh, exportedWh } of payload.values) {
      const name = importedWh > limitWh ? "imported_wh" : "exported_wh";
      const energyWh = Math.max(importedWh, exportedWh);
      if (energyWh <= limitWh) continue;
      const message =
        `${energyWh} Wh in the interval from ${isoTimeOfS(startS)} is more than ` +
        `${meter.ratedPowerW} W carry in ${meter.intervalS} s.`;
      return violation("ENERGY_ABOVE_RATING", message, `load_profile.${name}`);
    }
    return undefined;
  },
};

const profileCoversTrades: Rule<ProfilePayload> = {
  id: "profile-covers-trades",
  demands:
    "An update of a profile leaves exports at least what is sold and imports at least what is bought in each delivery interval.",
  reasons: ["EXPORT_BELOW_SOLD", "IMPORT_BELOW_BOUGHT", "ENERGY_INVALID"],
  check({ record, state }) {
    for (const delivery of record.payload.deliveries) {
      const sums = sumsWithProfile(state, record, delivery);
      const { exportedWh, importedWh, soldWh, boughtWh } = sums;
      const start = isoTimeOfS(delivery.deliveryStartS);
      if (exportedWh < soldWh) {
        const message = `Exports of the interval from ${start} would fall to ${exportedWh} Wh, but ${soldWh} Wh are sold.`;
        return violation("EXPORT_BELOW_SOLD", message, "load_profile.exported_wh");
      }
      if (importedWh < boughtWh) {
        const message = `Imports of the interval from ${start} would fall to ${importedWh} Wh, but ${boughtWh} Wh are bought.`;
        return violation("IMPORT_BELOW_BOUGHT", message, "load_profile.imported_wh");
      }
      if (exportedWh <= energyWhMax && importedWh <= energyWhMax) continue;
      const name = exportedWh > energyWhMax ? "exported_wh" : "imported_wh";
      const message = `The sum of the delivery interval from ${start} would be above ${energyWhMax} Wh.`;
      return violation("ENERGY_INVALID", message, `load_profile.${name}`);
    }
    return undefined;
  },
};

export const loadProfile: RecordKind<LoadProfile, ProfilePayload> = {
  label: "load-profile",
  stored: StoredKind.LOAD_PROFILE,
  parse,
  rules: [
    profileMeterBelongsToOwner,
    profileIntervalsAreAligned,
    profileKeepsRange,
    profileIntervalsAreFree,
    profileIsWithinRating,
    profileCoversTrades,
  ],
  signatureRules: [],
  whyTooEarly: ({ startS, intervalS, intervalCount }, timeMs) =>
    whyBeforeEnd(startS + intervalCount * intervalS, timeMs),
  addStateKeys({ payload: { meterId, values, absent } }, list) {
    list.meter(meterId);
    for (const { at } of values) list.readings(meterId, at);
    for (const at of absent) list.readings(meterId, at);
  },
  energy: ({ ownerId, payload: { deliveries } }) =>
    deliveries.map(({ deliveryStartS, deliveryAt }) => ({
      participantId: ownerId,
      deliveryStartS,
      deliveryAt,
      as: "measured",
    })),
  apply,
  parties: () => [],
  meterIds: ({ meterId }) => [meterId],
};

/** Refuses with RECORD_MALFORMED, INTERVAL_INVALID or ENERGY_INVALID. */
function parse(profile: LoadProfile, { grid }: ParseContext): Result<ProfilePayload, Violation> {
  const { meterId, startUnixS, intervalS, runs, importedWh, exportedWh } = profile;
  if (!isDeviceId(meterId)) {
    const message = `The meter id is not ${deviceIdForm}.`;
    return refuse("RECORD_MALFORMED", message, "load_profile.meter_id");
  }
  const startS = Number(startUnixS);
  if (!isUnixSeconds(startUnixS) || deliveryStartOf(startS, grid) < 0) {
    const message = "The profile's start is out of range.";
    return refuse("INTERVAL_INVALID", message, "load_profile.start_unix_s");
  }
  let intervalCount = 0;
  let present = 0;
  for (const [i, { count, quality }] of runs.entries()) {
    const known = quality >= ValueQuality.ABSENT && quality <= ValueQuality.SUBSTITUTED;
    if (count === 0 || !known) {
      const message = "A run has at least one interval, and a quality.";
      return refuse("RECORD_MALFORMED", message, `load_profile.runs[${i}]`);
    }
    intervalCount += count;
    if (quality !== ValueQuality.ABSENT) present += count;
  }
  if (intervalCount === 0 || intervalS === 0 || intervalCount * intervalS > profileSMax) {
    const message = "A profile has one interval at least, and 31 days at most.";
    return refuse("INTERVAL_INVALID", message, "load_profile.runs");
  }
  for (const [name, list] of [
    ["imported_wh", importedWh],
    ["exported_wh", exportedWh],
  ] as const) {
    if (list.length === 0 || list.length === present) continue;
    const message = `There are ${list.length} values for ${present} intervals that are not absent.`;
    return refuse("RECORD_MALFORMED", message, `load_profile.${name}`);
  }
  const values: ProfileValue[] = [];
  const absent: WindowSlot[] = [];
  const deliveries: Delivery[] = [];
  let index = 0;
  let open: { -readonly [K in keyof Delivery]: Delivery[K] } | undefined;
  let slots: WindowSlot[] = [];
  for (const { count, quality } of runs) {
    for (let i = 0; i < count; i++, index++) {
      const at = startS + index * intervalS;
      const slot = windowSlotOf(at, intervalS, grid);
      const deliveryStartS = deliveryStartOf(at, grid);
      if (open?.deliveryStartS !== deliveryStartS) {
        slots = [];
        const deliveryAt = deliverySlotOf(deliveryStartS, grid);
        open = { deliveryStartS, deliveryAt, slots, importedWh: 0n, exportedWh: 0n };
        deliveries.push(open);
      }
      slots.push(slot);
      if (quality === ValueQuality.ABSENT) {
        absent.push(slot);
        continue;
      }
      const imported = importedWh[values.length] ?? 0;
      const exported = exportedWh[values.length] ?? 0;
      open.importedWh += BigInt(imported);
      open.exportedWh += BigInt(exported);
      values.push({ startS: at, importedWh: imported, exportedWh: exported, at: slot });
    }
  }
  return ok({
    kind: "loadProfile",
    meterId,
    startS,
    intervalS,
    intervalCount,
    values,
    absent,
    deliveries,
  });
}

/**
 * The owner's sums of a delivery interval when the profile replaces the version that it updates.
 * They may break the invariant of `EnergySums`, which the rules find out.
 */
function sumsWithProfile(
  state: StateReads,
  { ownerId, parent, payload }: RecordOf<ProfilePayload>,
  { deliveryAt, slots, ...added }: Delivery,
): EnergySums {
  const { importedWh, exportedWh, soldWh, boughtWh } = energySums(state, ownerId, deliveryAt);
  const own = parent === undefined ? undefined : state.records.get(parent)?.position;
  let replacedImported = 0n;
  let replacedExported = 0n;
  if (own !== undefined) {
    for (const slot of slots) {
      const standing = state.readings.get(payload.meterId, slot);
      if (standing?.position !== own) continue;
      replacedImported += BigInt(standing.importedWh);
      replacedExported += BigInt(standing.exportedWh);
    }
  }
  return {
    importedWh: importedWh - replacedImported + added.importedWh,
    exportedWh: exportedWh - replacedExported + added.exportedWh,
    soldWh,
    boughtWh,
  };
}

function apply(
  tables: StateTables,
  record: RecordOf<ProfilePayload>,
  { position }: RecordPlace,
): Kept {
  const { ownerId, parent, payload } = record;
  const { meterId, startS, intervalCount, values, absent, deliveries } = payload;
  for (const delivery of deliveries) {
    const sums = sumsWithProfile(tables, record, delivery);
    putEnergySums(tables, ownerId, delivery.deliveryAt, sums);
  }
  for (const { at, importedWh, exportedWh } of values) {
    tables.readings.put([meterId, at], { importedWh, exportedWh, position });
  }
  const own = parent === undefined ? undefined : tables.records.get(parent)?.position;
  for (const at of absent) {
    const standing = tables.readings.get(meterId, at);
    if (standing !== undefined && standing.position === own) tables.readings.remove([meterId, at]);
  }
  return { profile: { meterId, startS, intervalCount } };
}
