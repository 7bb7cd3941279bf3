/**
 * Which times of which meter a file has given so far, so that a time that comes a second time is
 * found wherever in the file it stands. Times that follow each other are one range, so a file
 * without gaps takes one range for each meter, however long it is.
 */
import { FileUnreadable } from "./file-values.js";

type Range = { startS: number; endS: number };

const rangesMax = 200_000;

export class CoveredTime {
  readonly #rangesOf = new Map<string, Range[]>();
  readonly #rangesMax: number;
  #rangeCount = 0;

  constructor(max = rangesMax) {
    this.#rangesMax = max;
  }

  /**
   * Whether nothing of this time (`startS` up to before `endS`) was there for this name; from now
   * on it is. Throws `FileUnreadable` when a file has more gaps than a reader can remember.
   */
  cover(name: string, startS: number, endS: number): boolean {
    const ranges = this.#ranges(name);
    const at = firstEndingAfter(ranges, startS);
    const next = ranges[at];
    if (next !== undefined && next.startS < endS) return false;
    const previous = ranges[at - 1];
    if (previous?.endS === startS) {
      previous.endS = endS;
      if (next?.startS !== endS) return true;
      previous.endS = next.endS;
      ranges.splice(at, 1);
      this.#rangeCount -= 1;
    } else if (next?.startS === endS) next.startS = startS;
    else this.#insert(ranges, at, { startS, endS });
    return true;
  }

  #ranges(name: string): Range[] {
    const known = this.#rangesOf.get(name);
    if (known !== undefined) return known;
    const ranges: Range[] = [];
    this.#rangesOf.set(name, ranges);
    return ranges;
  }

  #insert(ranges: Range[], at: number, range: Range): void {
    this.#rangeCount += 1;
    if (this.#rangeCount > this.#rangesMax) {
      throw new FileUnreadable(
        `the file has more than ${this.#rangesMax} gaps between its times`,
        "split it, by meter or by month, and import each part",
      );
    }
    ranges.splice(at, 0, range);
  }
}

/** The place of the first range that ends after a time; they are in order and do not overlap. */
function firstEndingAfter(ranges: readonly Range[], timeS: number): number {
  let low = 0;
  let high = ranges.length;
  // Files are in the order of time as a rule, so the last range is looked at first.
  if ((ranges.at(-1)?.endS ?? timeS) <= timeS) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.endS ?? 0) > timeS) high = middle;
    else low = middle + 1;
  }
  return low;
}
