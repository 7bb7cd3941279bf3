/** What the columns of a CSV file mean. */

import type { ExactNumber } from "../exact-number.js";
import type { IntervalValue } from "../file-values.js";
import type { EnergyUnit } from "./cell-number.js";
import type { TimeFormat } from "./cell-time.js";

export type CsvMapping = {
  /** One character. */
  readonly delimiter: string;
  readonly decimalMark: "." | ",";
  /** When left out: as the byte order mark says, or UTF-8. */
  readonly encoding?: CsvEncoding;
  /** Line of the header, from 1; 0 for none: columns are then called 1, 2, 3. */
  readonly headerLine: number;
  /** What cells without a value say, besides nothing at all. */
  readonly absent: readonly string[];
  readonly content: IntervalContent | SessionContent;
};

export const csvEncodings = ["utf-8", "utf-16le", "utf-16be", "windows-1252"] as const;
export type CsvEncoding = (typeof csvEncodings)[number];

/** Values of intervals: a row is an interval of one meter, or of several in columns. */
export type IntervalContent = {
  readonly kind: "intervals";
  readonly time: {
    /** One, or several that are read with a space between them, such as date and time of day. */
    readonly columns: readonly string[];
    readonly format: TimeFormat;
    /** Which end of the interval the time is. */
    readonly stamp: "start" | "end";
    /** Unix s; the time of number 1, where the format is "count". */
    readonly firstS?: number;
  };
  /** s; when left out, what is registered for the meter. */
  readonly intervalS?: number;
  /** The column that names the meter, where meters are rows. */
  readonly meterColumn?: string;
  readonly values: readonly ValueColumn[];
  readonly quality?: QualityColumn;
};

export type ValueColumn = {
  /** Added up when there are several; "*" stands for all columns that nothing else names. */
  readonly columns: readonly string[];
  /** The meter, where meters are columns; by default it has the name of its column. */
  readonly meter?: string;
  readonly direction: ValueDirection;
  readonly unit: EnergyUnit;
  /** What values are multiplied with, for all meters or by the name of the meter. */
  readonly scale?: ExactNumber | ReadonlyMap<string, ExactNumber>;
};

/** "net" counts what is imported as positive, "net-exported" what is exported. */
export const valueDirections = ["imported", "exported", "net", "net-exported"] as const;
export type ValueDirection = (typeof valueDirections)[number];

export type QualityColumn = {
  readonly column: string;
  /** By what the cells say; a value of "absent" is none. */
  readonly words: ReadonlyMap<string, IntervalValue["quality"] | "absent">;
};

/** Charging sessions, one in each row. */
export type SessionContent = {
  readonly kind: "sessions";
  readonly stationColumn: string;
  readonly sessionColumn: string;
  /** The column with the id of the owner; by default sessions are of whoever submits them. */
  readonly ownerColumn?: string;
  readonly startColumn: string;
  readonly endColumn: string;
  readonly timeFormat: TimeFormat;
  readonly energyColumn: string;
  readonly unit: "Wh" | "kWh" | "MWh";
};
