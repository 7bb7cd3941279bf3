/**
 * Which hour a row is. The data have no dates: a row number counts hours, and month, hour of the
 * day (1–24, the hour that ends then) and day of the week (1 Monday … 7 Sunday) stand beside it.
 *
 * In the source, row n is the hour that ends at 1 August 2016 00:00 + (n − 1) h, in one fixed
 * offset from UTC, because there is no jump at the change of the clocks. That it is UTC−8, the
 * standard time of California, is an assumption. Files that were numbered anew begin at the first
 * hour after that which has the month, hour and day of their first row.
 */

/** What stands beside a row number; all of it about the start of the hour, as people count. */
export type HourLabels = {
  readonly month: number;
  readonly hour: number;
  readonly dayType: number;
};

export type LabelledRow = HourLabels & { readonly row: number };

const hourS = 3600;
const daysSearched = 366;
/** The clock of the homes, as an offset from UTC in s. */
export const utcOffsetS = -8 * hourS;
export const clockName = "UTC−8";
/** The same in the database of time zones, where the sign is that of the way to Greenwich. */
export const clockZone = "Etc/GMT+8";
/** Start of the source's row 1, 31 July 2016 23:00 there. */
const sourceStartS = Date.UTC(2016, 6, 31, 23) / 1000 - utcOffsetS;

export class Calendar {
  /** Unix s, of the hour of row 0. */
  readonly #originS: number;

  /** The calendar of a file, from its first rows: a few may be wrong. */
  constructor(sample: readonly LabelledRow[]) {
    const asInSource = sourceStartS - hourS;
    const [first] = sample;
    const renumbered =
      first !== undefined && !sample.some((row) => agrees(row, asInSource + row.row * hourS));
    this.#originS = renumbered ? firstHourLike(first) - first.row * hourS : asInSource;
  }

  /** Unix s. */
  startS(row: number): number {
    return this.#originS + row * hourS;
  }

  /** Undefined when the labels are those of the row's hour, and else what they should be. */
  disagreement(row: LabelledRow): HourLabels | undefined {
    const startS = this.startS(row.row);
    return agrees(row, startS) ? undefined : labelsOf(startS);
  }
}

function agrees({ month, hour, dayType }: HourLabels, startS: number): boolean {
  const labels = labelsOf(startS);
  return labels.month === month && labels.hour === hour && labels.dayType === dayType;
}

function labelsOf(startS: number): HourLabels {
  const local = new Date((startS + utcOffsetS) * 1000);
  const hour = local.getUTCHours() + 1;
  return { month: local.getUTCMonth() + 1, hour, dayType: local.getUTCDay() || 7 };
}

/** Every month has every day of the week, so there is one within the year. */
function firstHourLike(labels: HourLabels): number {
  const midnightS = sourceStartS + hourS;
  for (let day = 0; day < daysSearched; day++) {
    const startS = midnightS + (day * 24 + labels.hour - 1) * hourS;
    if (agrees(labels, startS)) return startS;
  }
  return sourceStartS;
}
