/**
 * Load profiles: what one meter measured in consecutive intervals, under one signature, hash and
 * seal. A profile counts as its values would count as meter readings, value by value.
 *
 * The values are in two packed lists; an interval that is absent has none there.
 * What the state keeps of them stands in windows of consecutive intervals (state/windows.ts), so
 * the rules go through a profile by *stretches*: the intervals of one run in one window.
 */
import { ok, type Result } from "../../base/result.js";
import { RecordKind as StoredKind } from "../../gen/bss/store/v1/state_pb.js";
import { type LoadProfile, type ProfileRun, ValueQuality } from "../../gen/bss/v1/record_pb.js";
import { deviceIdForm, isDeviceId } from "../ids.js";
import type { RecordPlace } from "../state/record-state.js";
import type { StateReads, StateTables } from "../state/state-tables.js";
import { setSlot, type WindowSlot, windowIntervals } from "../state/windows.js";
import { isoTimeOfS, isUnixSeconds, whyBeforeEnd } from "../times.js";
import { refuse, type Violation, violation } from "../violation.js";
import {
  assertCovered,
  type DeliveryPlace,
  type EnergySums,
  energyWhMax,
  noEnergy,
} from "./energy.js";
import type { Kept, ParseContext, RecordKind, RecordOf, Rule } from "./kind.js";
import { deliverySlotOf, deliveryStartOf, windowSlotOf } from "./market-grid.js";
import { carriedWhMax, gridProblem, meterProblem, sumsProblem } from "./metering.js";

export type ProfilePayload = {
  readonly kind: "loadProfile";
  readonly meterId: string;
  /** Unix s, not negative; whether it is aligned is a rule. */
  readonly startS: number;
  readonly intervalS: number;
  /** Intervals, with a value or without. */
  readonly intervalCount: number;
  /** All intervals in order: of each run `packed`. */
  readonly runs: Uint32Array;
  /** One for each interval that is not absent, in order of time; or none, and all are 0. */
  readonly importedWh: Uint32Array;
  readonly exportedWh: Uint32Array;
  /** Where the state keeps what stands for the first interval. */
  readonly at: WindowSlot;
  /** The delivery intervals that the first and the last interval lie in. */
  readonly firstDelivery: DeliveryPlace;
  readonly lastDelivery: DeliveryPlace;
  readonly deliveryIntervalS: number;
};

/** Consecutive intervals of one run, or delivery intervals, that the state keeps in one window. */
type Stretch = {
  readonly window: number;
  /** Of the first one. */
  readonly slot: number;
  readonly count: number;
  /** Index of the first one among the profile's intervals. */
  readonly index: number;
  /** Index of its value in the lists; undefined where they are absent. */
  readonly value: number | undefined;
};

/** What a profile adds to the sums of each of its delivery intervals, in order; may be negative. */
type Changes = { readonly importedWh: readonly number[]; readonly exportedWh: readonly number[] };

/** The longest profile, s: 31 days. */
export const profileSMax = 31 * 86_400;
/** The most intervals of a profile: 31 days of five minutes. */
export const profileIntervalsMax = 31 * 288;

/** What three packed lists take in memory beside their integers; a test measures it. */
const listsBytes = 768;

/** The most that the lists of so many profiles take, with so many integers in all. */
export function profileListsBytesMax(profiles: number, integers: number): number {
  return profiles * listsBytes + integers * Uint32Array.BYTES_PER_ELEMENT;
}

const profileMeterBelongsToOwner: Rule<ProfilePayload> = {
  id: "profile-meter-belongs-to-owner",
  demands:
    "A profile's meter is registered to the record's owner, and spelled as it is registered.",
  reasons: ["METER_UNKNOWN", "METER_OWNER_MISMATCH"],
  check: ({ record: { payload, ownerId }, state }) =>
    meterProblem(payload.meterId, ownerId, state, "load_profile.meter_id"),
};

const profileIntervalsAreAligned: Rule<ProfilePayload> = {
  id: "profile-intervals-are-aligned",
  demands:
    "A profile's intervals have the meter's registered length and start on the market's grid.",
  reasons: ["INTERVAL_INVALID"],
  check: ({ record: { payload }, ...context }) =>
    gridProblem(payload, context, {
      start: "load_profile.start_unix_s",
      interval: "load_profile.interval_s",
    }),
};

const profileKeepsRange: Rule<ProfilePayload> = {
  id: "profile-update-keeps-range",
  demands: "An update of a profile keeps the meter, the start and the number of intervals.",
  reasons: ["PARENT_KIND_MISMATCH"],
  check({ record: { payload, parent }, state }) {
    if (parent === undefined) return undefined;
    const before = state.records.get(parent)?.profile;
    const isSame =
      before?.meterId === payload.meterId &&
      before.startS === payload.startS &&
      before.intervalCount === payload.intervalCount;
    if (isSame) return undefined;
    const message = "An update keeps the meter, the start and the number of intervals.";
    return violation("PARENT_KIND_MISMATCH", message, "parent");
  },
};

/** Intervals are aligned and all of one length, so two of a meter overlap only if they are one. */
const profileIntervalsAreFree: Rule<ProfilePayload> = {
  id: "profile-intervals-are-free",
  demands:
    "No other reading or profile of the meter has a value for an interval that the profile has one for.",
  reasons: ["INTERVAL_OVERLAP"],
  check({ record, state }) {
    const { meterId } = record.payload;
    const own = ownPosition(record, state);
    for (const { window, slot, count, index, value } of stretchesOf(record.payload)) {
      if (value === undefined) continue;
      const standing = state.readings.window(meterId, window);
      for (let i = 0; i < count; i++) {
        const taken = standing[slot + i];
        if (taken === undefined || taken.position === own) continue;
        const start = isoTimeOfS(startOfInterval(record.payload, index + i));
        const message = `Meter ${meterId} has a reading of the interval from ${start} already.`;
        const field = runOf(record.payload, index + i);
        const { position } = taken;
        return { ...violation("INTERVAL_OVERLAP", message, field), standing: { position } };
      }
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
    const mostWh = carriedWhMax(meter);
    for (const [name, list] of listsOf(payload)) {
      const value = list.findIndex((energyWh) => energyWh > mostWh);
      if (value < 0) continue;
      const start = isoTimeOfS(startOfInterval(payload, intervalOfValue(payload, value)));
      const message =
        `${list[value]} Wh in the interval from ${start} is more than ` +
        `${meter.ratedPowerW} W carry in ${meter.intervalS} s.`;
      return violation("ENERGY_ABOVE_RATING", message, `load_profile.${name}[${value}]`);
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
    const { payload, ownerId } = record;
    const changes = changesOf(record, state);
    for (const { window, slot, count, index } of deliveriesOf(payload, changes)) {
      const before = state.energy.window(ownerId, window);
      for (let i = 0; i < count; i++) {
        const sums = before[slot + i];
        // Where there are none, nothing is traded, and what a profile holds is below the bound.
        if (sums === undefined) continue;
        const { deliveryStartS } = payload.firstDelivery;
        const startS = deliveryStartS + (index + i) * payload.deliveryIntervalS;
        const problem = sumsProblem(changed(sums, changes, index + i), startS);
        if (problem === undefined) continue;
        const { reason, message, direction } = problem;
        const field = fieldOfDelivery(payload, startS, `${direction}_wh`);
        return violation(reason, message, field);
      }
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
  addStateKeys({ payload: { meterId, at, intervalCount } }, list) {
    list.meter(meterId);
    const windows = Math.ceil((at.slot + intervalCount) / windowIntervals);
    for (let i = 0; i < windows; i++) list.readings(meterId, at.window + i);
  },
  energy: ({ ownerId, payload: { firstDelivery, lastDelivery } }) => [
    { participantId: ownerId, first: firstDelivery, last: lastDelivery, as: "measured" },
  ],
  apply,
  intervals: ({ intervalCount }) => intervalCount,
  decodedBytes: ({ runs, importedWh, exportedWh }) =>
    listsBytes + runs.byteLength + importedWh.byteLength + exportedWh.byteLength,
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
  // The first seconds of 1970 may lie in a delivery interval that starts before them.
  if (!isUnixSeconds(startUnixS) || deliveryStartOf(startS, grid) < 0) {
    const message = "The profile's start is out of range.";
    return refuse("INTERVAL_INVALID", message, "load_profile.start_unix_s");
  }
  // No meter has longer ones. Few of them would span more delivery intervals than they are, and the
  // state of each would be fetched before a rule is asked.
  if (intervalS === 0 || intervalS > grid.deliveryIntervalS) {
    const message = `An interval has 1 to ${grid.deliveryIntervalS} s, the market's delivery interval.`;
    return refuse("INTERVAL_INVALID", message, "load_profile.interval_s");
  }
  const counts = countsOf(runs);
  if (!counts.ok) return counts;
  const { intervalCount, valueCount } = counts.value;
  const isLong = intervalCount > profileIntervalsMax || intervalCount * intervalS > profileSMax;
  if (intervalCount === 0 || isLong) {
    const message =
      `The profile has ${intervalCount} intervals of ${intervalS} s: one at least is allowed, ` +
      `and at most ${profileIntervalsMax} within 31 days.`;
    return refuse("INTERVAL_INVALID", message, "load_profile.runs");
  }
  for (const [name, list] of listsOf(profile)) {
    if (list.length === 0 || list.length === valueCount) continue;
    const message = `There are ${list.length} values for ${valueCount} intervals that are not absent.`;
    return refuse("RECORD_MALFORMED", message, `load_profile.${name}`);
  }
  const unreadable = registersProblem(profile);
  if (unreadable !== undefined) return { ok: false, error: unreadable };
  return ok({
    kind: "loadProfile",
    meterId,
    startS,
    intervalS,
    intervalCount,
    runs: Uint32Array.from(runs, packed),
    importedWh: Uint32Array.from(importedWh),
    exportedWh: Uint32Array.from(exportedWh),
    at: windowSlotOf(startS, intervalS, grid),
    firstDelivery: deliveryOf(startS, grid),
    lastDelivery: deliveryOf(startS + (intervalCount - 1) * intervalS, grid),
    deliveryIntervalS: grid.deliveryIntervalS,
  });
}

function countsOf(
  runs: readonly ProfileRun[],
): Result<{ readonly intervalCount: number; readonly valueCount: number }, Violation> {
  let intervalCount = 0;
  let valueCount = 0;
  for (const [i, { count, quality }] of runs.entries()) {
    const field = `load_profile.runs[${i}]`;
    if (count === 0) {
      return refuse("RECORD_MALFORMED", "A run has an interval.", `${field}.count`);
    }
    // The list of all qualities has the unspecified one in front.
    if (quality < ValueQuality.ABSENT || quality > ValueQuality.SUBSTITUTED) {
      return refuse("RECORD_MALFORMED", "There is no such quality.", `${field}.quality`);
    }
    intervalCount += count;
    if (quality !== ValueQuality.ABSENT) valueCount += count;
  }
  return ok({ intervalCount, valueCount });
}

/** A run as one integer: there are eight qualities at most. */
function packed({ count, quality }: ProfileRun): number {
  return 8 * count + quality;
}

function countOf(run: number): number {
  return run >>> 3;
}

function isAbsent(run: number): boolean {
  return (run & 7) === ValueQuality.ABSENT;
}

function registersProblem({ registerStart, registerEnd }: LoadProfile): Violation | undefined {
  for (const [place, register] of [
    ["register_start", registerStart],
    ["register_end", registerEnd],
  ] as const) {
    if (register === undefined) continue;
    for (const [name, energyWh] of [
      ["imported_wh", register.importedWh],
      ["exported_wh", register.exportedWh],
    ] as const) {
      if (energyWh <= energyWhMax) continue;
      const field = `load_profile.${place}.${name}`;
      return violation("ENERGY_INVALID", "The energy is out of range.", field);
    }
  }
  return undefined;
}

function deliveryOf(unixS: number, grid: ParseContext["grid"]): DeliveryPlace {
  return {
    deliveryStartS: deliveryStartOf(unixS, grid),
    deliveryAt: deliverySlotOf(unixS, grid),
  };
}

function apply(
  tables: StateTables,
  record: RecordOf<ProfilePayload>,
  { position }: RecordPlace,
): Kept {
  const { ownerId, payload } = record;
  const { meterId, startS, intervalCount, importedWh, exportedWh } = payload;
  const own = ownPosition(record, tables);
  const changes = changesOf(record, tables);
  for (const { window, slot, count, index } of deliveriesOf(payload, changes)) {
    const sums = tables.energy.window(ownerId, window);
    for (let i = 0; i < count; i++) {
      const at = index + i;
      if (changes.importedWh[at] === 0 && changes.exportedWh[at] === 0) continue;
      const after = changed(sums[slot + i] ?? noEnergy, changes, at);
      assertCovered(after);
      setSlot(tables.energy.change(ownerId, window), slot + i, after);
    }
  }
  for (const { window, slot, count, value } of stretchesOf(payload)) {
    if (value === undefined) {
      if (own !== undefined) takeAway(tables, meterId, { window, slot, count, own });
      continue;
    }
    const values = tables.readings.change(meterId, window);
    for (let i = 0; i < count; i++) {
      setSlot(values, slot + i, {
        importedWh: importedWh[value + i] ?? 0,
        exportedWh: exportedWh[value + i] ?? 0,
        position,
      });
    }
  }
  return { profile: { meterId, startS, intervalCount } };
}

/** Intervals for which the version before had a value are free again. */
function takeAway(
  tables: StateTables,
  meterId: string,
  { window, slot, count, own }: Pick<Stretch, "window" | "slot" | "count"> & { own: number },
): void {
  const standing = tables.readings.window(meterId, window);
  for (let i = slot; i < slot + count; i++) {
    if (standing[i]?.position === own)
      setSlot(tables.readings.change(meterId, window), i, undefined);
  }
}

/** The position of the version that the profile updates: what stands under it is replaced. */
function ownPosition({ parent }: RecordOf<ProfilePayload>, state: StateReads): number | undefined {
  return parent === undefined ? undefined : state.records.get(parent)?.position;
}

/** What the profile adds to its owner's sums, less what the version has that it updates. */
function changesOf(record: RecordOf<ProfilePayload>, state: StateReads): Changes {
  const { payload } = record;
  const { meterId, startS, intervalS, firstDelivery, lastDelivery, deliveryIntervalS } = payload;
  const spanS = lastDelivery.deliveryStartS - firstDelivery.deliveryStartS;
  const deliveries = spanS / deliveryIntervalS + 1;
  const importedWh = new Array<number>(deliveries).fill(0);
  const exportedWh = new Array<number>(deliveries).fill(0);
  const own = ownPosition(record, state);
  const intoS = startS - firstDelivery.deliveryStartS;
  for (const { window, slot, count, index, value } of stretchesOf(payload)) {
    if (value === undefined && own === undefined) continue;
    const standing = own === undefined ? undefined : state.readings.window(meterId, window);
    let delivery = Math.floor((intoS + index * intervalS) / deliveryIntervalS);
    let deliveryEndsIn = (delivery + 1) * deliveryIntervalS - intoS - index * intervalS;
    for (let i = 0; i < count; i++) {
      if (deliveryEndsIn <= 0) {
        delivery += 1;
        deliveryEndsIn += deliveryIntervalS;
      }
      deliveryEndsIn -= intervalS;
      const before = standing?.[slot + i];
      const replaced = before?.position === own ? before : undefined;
      const importsWh = value === undefined ? 0 : (payload.importedWh[value + i] ?? 0);
      const exportsWh = value === undefined ? 0 : (payload.exportedWh[value + i] ?? 0);
      importedWh[delivery] = (importedWh[delivery] ?? 0) + importsWh - (replaced?.importedWh ?? 0);
      exportedWh[delivery] = (exportedWh[delivery] ?? 0) + exportsWh - (replaced?.exportedWh ?? 0);
    }
  }
  return { importedWh, exportedWh };
}

/** A profile's sums with the changes of the delivery interval of this index. */
function changed(sums: EnergySums, changes: Changes, index: number): EnergySums {
  const { importedWh, exportedWh, soldWh, boughtWh } = sums;
  return {
    importedWh: importedWh + (changes.importedWh[index] ?? 0),
    exportedWh: exportedWh + (changes.exportedWh[index] ?? 0),
    soldWh,
    boughtWh,
  };
}

/** All delivery intervals of a profile in order of time. */
function* deliveriesOf(
  { firstDelivery }: ProfilePayload,
  { importedWh: { length } }: Changes,
): Generator<Omit<Stretch, "value">> {
  let { window, slot } = firstDelivery.deliveryAt;
  for (let index = 0; index < length; window++) {
    const count = Math.min(length - index, windowIntervals - slot);
    yield { window, slot, count, index };
    index += count;
    slot = 0;
  }
}

/** All intervals of a profile in order of time. */
function* stretchesOf({ at, runs }: ProfilePayload): Generator<Stretch> {
  let { window, slot } = at;
  let index = 0;
  let values = 0;
  for (const run of runs) {
    const absent = isAbsent(run);
    for (let left = countOf(run); left > 0; ) {
      const count = Math.min(left, windowIntervals - slot);
      yield { window, slot, count, index, value: absent ? undefined : values };
      left -= count;
      index += count;
      slot += count;
      if (!absent) values += count;
      if (slot === windowIntervals) {
        slot = 0;
        window += 1;
      }
    }
  }
}

function listsOf<List>({ importedWh, exportedWh }: { importedWh: List; exportedWh: List }) {
  return [
    ["imported_wh", importedWh],
    ["exported_wh", exportedWh],
  ] as const;
}

// What follows is asked only where something is wrong.

function startOfInterval({ startS, intervalS }: ProfilePayload, index: number): number {
  return startS + index * intervalS;
}

/** The interval that has this value of the lists. */
function intervalOfValue({ runs }: ProfilePayload, value: number): number {
  let index = 0;
  let values = 0;
  for (const run of runs) {
    const count = countOf(run);
    if (!isAbsent(run)) {
      if (value < values + count) return index + value - values;
      values += count;
    }
    index += count;
  }
  return index;
}

/** The field of the run that has this interval. */
function runOf({ runs }: ProfilePayload, interval: number): string {
  let end = 0;
  const place = runs.findIndex((run) => {
    end += countOf(run);
    return interval < end;
  });
  return `load_profile.runs[${place}]`;
}

/** The first value in the delivery interval; the list, or the runs, where it has none there. */
function fieldOfDelivery(
  payload: ProfilePayload,
  deliveryStartS: number,
  name: "imported_wh" | "exported_wh",
): string {
  const { startS, intervalS, deliveryIntervalS } = payload;
  const begin = Math.max(0, (deliveryStartS - startS) / intervalS);
  const end = (deliveryStartS + deliveryIntervalS - startS) / intervalS;
  for (const { index, count, value } of stretchesOf(payload)) {
    const first = Math.max(begin, index);
    if (value === undefined || first >= Math.min(end, index + count)) continue;
    const list = name === "imported_wh" ? payload.importedWh : payload.exportedWh;
    const field = `load_profile.${name}`;
    return list.length === 0 ? field : `${field}[${value + first - index}]`;
  }
  return runOf(payload, begin);
}
