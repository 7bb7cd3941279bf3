/**
 * The hours as what goes onto the ledger: day by day, one load profile of each meter, and the
 * trades of all hours. Days are those of UTC, so the first and the last one may be shorter.
 */
import { defined } from "../../../src/base/assert.js";
import { meterIntervalS } from "./community.js";
import type { CommunityHour } from "./community-hours.js";
import type { MeterValues } from "./to-wh.js";

/** What a home's meter showed in a day. */
export type DayProfile = {
  readonly homeId: string;
  /** Unix s; all homes of a day begin with its first hour. */
  readonly startS: number;
  /** One for each hour up to the day's last one; undefined where the data say nothing. */
  readonly values: readonly (MeterValues | undefined)[];
};

export type CommunityDay = {
  /** Of the homes that have a value in the day. */
  readonly profiles: readonly DayProfile[];
  /** At least one; hours of which the data say nothing are not there. */
  readonly hours: readonly CommunityHour[];
};

const dayS = 86_400;

/** The first `daysMax` days. */
export async function* daysOf(
  hours: AsyncIterable<CommunityHour>,
  daysMax: number,
): AsyncGenerator<CommunityDay, void, undefined> {
  let day: CommunityHour[] = [];
  let days = 0;
  for await (const hour of hours) {
    const [first] = day;
    if (first !== undefined && dayNumber(hour) > dayNumber(first)) {
      yield finished(day);
      day = [];
      days += 1;
      if (days === daysMax) return;
    }
    day.push(hour);
  }
  if (day.length > 0) yield finished(day);
}

function dayNumber({ startS }: CommunityHour): number {
  return Math.floor(startS / dayS);
}

function finished(hours: readonly CommunityHour[]): CommunityDay {
  const first = defined(hours.at(0), "a day has an hour").startS;
  const last = defined(hours.at(-1), "a day has an hour").startS;
  const length = (last - first) / meterIntervalS + 1;
  const valuesOf = new Map<string, (MeterValues | undefined)[]>();
  for (const { startS, readings } of hours) {
    for (const { homeId, importedWh, exportedWh } of readings) {
      const values = valuesOf.get(homeId) ?? Array.from({ length }, () => undefined);
      values[(startS - first) / meterIntervalS] = { importedWh, exportedWh };
      valuesOf.set(homeId, values);
    }
  }
  const profiles = [...valuesOf].map(([homeId, values]) => ({ homeId, startS: first, values }));
  return { profiles, hours };
}
