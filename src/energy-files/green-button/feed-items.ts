/**
 * From readings to values. A reading whose UsagePoint, MeterReading or ReadingType stands further
 * down in the file waits for it, and whatever follows waits behind it, so that values keep the
 * order of the file. How many may wait is bounded.
 */
import { printable } from "../../base/printable.js";
import { CoveredTime } from "../covered-time.js";
import {
  type FileItem,
  type FileProblem,
  FileUnreadable,
  type IntervalValue,
} from "../file-values.js";
import type { FeedListener, Fields, Links, OpenEntry, Reading } from "./entry.js";
import { FeedGraph, lastPart, type MeterReading, type ReadingType } from "./feed-graph.js";
import { type Measured, parseReadingType } from "./reading-type.js";
import { readingValue, type Series } from "./reading-value.js";

type Waiting = { readonly entry: OpenEntry; readonly reading: Reading };

export class FeedItems implements FeedListener {
  readonly #readingsWaitingMax: number;
  readonly #graph = new FeedGraph();
  readonly #covered = new CoveredTime();
  /** Those that are left out were said to be. */
  readonly #series = new Map<MeterReading, Series | "left out">();
  /** By usage point and direction: the interval in which its energy is given. */
  readonly #intervalS = new Map<string, number>();
  readonly #entriesLeftOut = new WeakSet<OpenEntry>();
  #waiting: Waiting[] = [];
  #items: FileItem[] = [];

  constructor(readingsWaitingMax: number) {
    this.#readingsWaitingMax = readingsWaitingMax;
  }

  /** What is known since the last call. */
  take(): readonly FileItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  readonly usagePoint = (links: Links): void => {
    this.#graph.addUsagePoint(links);
    this.#release();
  };

  readonly meterReading = (links: Links, line: number): void => {
    this.#graph.addMeterReading(links, line);
    this.#release();
  };

  readonly readingType = (links: Links, fields: Fields, line: number): void => {
    if (!this.#graph.addReadingType(links, { line, fields })) {
      const message = "an earlier ReadingType of the same address says something else, and counts";
      this.#problem(line, "ReadingType", message);
    }
    this.#release();
  };

  readonly reading = (entry: OpenEntry, reading: Reading): void => {
    this.#waiting.push({ entry, reading });
    this.#release();
    const [first] = this.#waiting;
    if (first === undefined || this.#waiting.length <= this.#readingsWaitingMax) return;
    const { line } = first.reading;
    throw new FileUnreadable(
      `the feed has more than ${this.#readingsWaitingMax} readings, from line ${line} on, ` +
        "before it says what they measure",
      "put the entries of UsagePoint, MeterReading and ReadingType before the IntervalBlocks",
    );
  };

  /** The feed is complete: what still waits does so in vain. */
  end(): void {
    for (const { entry, reading } of this.#waiting) {
      const series = this.#seriesOf(entry) ?? this.#seriesWithoutUsagePoint(entry);
      if (series !== undefined) this.#add(series, reading);
    }
    this.#waiting = [];
  }

  /** Adds what no longer has to wait, up to the first reading that has. */
  #release(): void {
    let released = 0;
    for (const { entry, reading } of this.#waiting) {
      const series = this.#seriesOf(entry);
      if (series === undefined) break;
      released += 1;
      this.#add(series, reading);
    }
    if (released > 0) this.#waiting = this.#waiting.slice(released);
  }

  /** Undefined as long as it is not known. */
  #seriesOf({ links }: OpenEntry): Series | "left out" | undefined {
    const meterReading = this.#graph.meterReadingOf(links);
    if (meterReading === undefined) return undefined;
    const known = this.#series.get(meterReading);
    if (known !== undefined) return known;
    const usagePoint = this.#graph.usagePointOf(meterReading);
    const type = meterReading.readingType;
    if (usagePoint === undefined || type === undefined) return undefined;
    return this.#newSeries(meterReading, usagePoint.name, type);
  }

  /** Some feeds have no UsagePoint, and it can be seen from an address alone. */
  #seriesWithoutUsagePoint(entry: OpenEntry): Series | "left out" | undefined {
    const meterReading = this.#graph.meterReadingOf(entry.links);
    if (meterReading === undefined) {
      this.#leaveOut(entry, "no MeterReading of the feed is linked with these readings");
      return undefined;
    }
    const type = meterReading.readingType;
    if (type === undefined) {
      const where = `the MeterReading on line ${meterReading.line}`;
      this.#leaveOut(entry, `${where} is linked with no ReadingType of the feed`);
      return undefined;
    }
    const { up } = meterReading.links;
    const name = lastPart(up?.slice(0, Math.max(0, up.lastIndexOf("/"))));
    if (name === undefined) {
      const where = `the MeterReading on line ${meterReading.line}`;
      this.#leaveOut(entry, `${where} is linked with no UsagePoint`);
      return undefined;
    }
    return this.#newSeries(meterReading, printable(name), type);
  }

  /** Says why an entry's readings are left out, once. */
  #leaveOut(entry: OpenEntry, why: string): void {
    if (this.#entriesLeftOut.has(entry)) return;
    this.#entriesLeftOut.add(entry);
    this.#problem(entry.line, "entry", `${why}; they are left out`);
  }

  #newSeries(
    meterReading: MeterReading,
    meterName: string,
    type: ReadingType,
  ): Series | "left out" {
    const measured = parseReadingType(type.fields);
    let problem: string | undefined;
    if (typeof measured === "string") problem = `${measured} (ReadingType on line ${type.line})`;
    else problem = this.#otherInterval(meterName, measured);
    let series: Series | "left out" = "left out";
    if (problem === undefined) series = { meterName, measured: measured as Measured };
    else {
      const message = `these readings are left out: ${problem}`;
      this.#problem(meterReading.line, "MeterReading", message, meterName);
    }
    this.#series.set(meterReading, series);
    return series;
  }

  /** The same energy is often there by the day and by the hour: the first is taken. */
  #otherInterval(meterName: string, { of, direction, intervalS }: Measured): string | undefined {
    if (of === "register" || intervalS === undefined) return undefined;
    const key = `${direction} ${meterName}`;
    const first = this.#intervalS.get(key);
    if (first === undefined) this.#intervalS.set(key, intervalS);
    if (first === undefined || first === intervalS) return undefined;
    return `the energy of this usage point is in the file in intervals of ${first} s already`;
  }

  #add(series: Series | "left out", reading: Reading): void {
    if (series === "left out") return;
    const item = readingValue(series, reading);
    if (item.kind === "value" && !this.#isFirst(item)) {
      const message = "the file has a value of this time, or of a part of it, already";
      this.#problem(reading.line, "timePeriod", message, series.meterName);
    } else this.#items.push(item);
  }

  #isFirst({ meterName, direction, startS, intervalS }: IntervalValue): boolean {
    return this.#covered.cover(`${direction} ${meterName}`, startS, startS + intervalS);
  }

  #problem(line: number, column: string, message: string, meterName?: string): void {
    const place = { line, column };
    const problem: FileProblem = { kind: "problem", place, message };
    this.#items.push(meterName === undefined ? problem : { ...problem, meterName });
  }
}
