/**
 * The days and months that profiles cover: those of a zone's clocks, so that a day has 23, 24 or 25
 * hours, or those of UTC.
 */
import type { TimeZone } from "../time-zone.js";

export const periodNames = ["day", "month"] as const;
export type PeriodName = (typeof periodNames)[number];

/** Unix s; the end belongs to the next one. */
export type Period = { readonly startS: number; readonly endS: number };

const daySeconds = 86_400;
/** A profile has 31 days at most: a month with a day of 25 hours gives its last hour apart. */
const periodSMax = 31 * daySeconds;
/** Clocks are changed at whole quarters of an hour. */
const stepS = 900;
const rememberedMax = 10_000;

const utc: TimeZone = { name: "UTC", momentsOf: (ms) => [ms], localMsOf: (ms) => ms };

export class Periods {
  readonly #zone: TimeZone;
  readonly #name: PeriodName;
  /** By quarter of an hour: asking a zone's clock for each value takes longer than all the rest. */
  readonly #remembered = new Map<number, Period>();

  constructor(name: PeriodName, zone: TimeZone = utc) {
    this.#name = name;
    this.#zone = zone;
  }

  /** The period that a moment lies in. */
  of(unixS: number): Period {
    const key = Math.floor(unixS / stepS);
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const period = this.#find(unixS);
    if (this.#remembered.size === rememberedMax) this.#remembered.clear();
    this.#remembered.set(key, period);
    return period;
  }

  /** "2026-10-25" or "2026-10", as the zone calls it. */
  nameOf({ startS }: Period): string {
    const text = new Date(this.#zone.localMsOf(startS * 1000)).toISOString();
    return text.slice(0, this.#name === "day" ? 10 : 7);
  }

  #find(unixS: number): Period {
    const local = new Date(this.#zone.localMsOf(unixS * 1000));
    const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()];
    const isDay = this.#name === "day";
    const startS = this.#momentS(Date.UTC(year, month, isDay ? day : 1));
    const endS = this.#momentS(isDay ? Date.UTC(year, month, day + 1) : Date.UTC(year, month + 1));
    const cutS = startS + periodSMax;
    if (endS <= cutS) return { startS, endS };
    return unixS < cutS ? { startS, endS: cutS } : { startS: cutS, endS };
  }

  /** When a zone's clocks show this; where they leave it out, when they go forward over it. */
  #momentS(localMs: number): number {
    const [first] = this.#zone.momentsOf(localMs);
    if (first !== undefined) return first / 1000;
    const dayBeforeMs = localMs - daySeconds * 1000;
    const [before = dayBeforeMs] = this.#zone.momentsOf(dayBeforeMs);
    return before / 1000 + daySeconds;
  }
}
