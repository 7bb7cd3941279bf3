/** Where two statements of one participant and period differ, day by day. */
import type { DocumentAmounts, StatementDocument } from "./settlement-documents.js";

export type DayDifference = {
  /** Unix s; undefined for the total. */
  readonly startS: number | undefined;
  /** What differs: first as stated, then as computed. */
  readonly amounts: readonly {
    readonly name: keyof DocumentAmounts;
    readonly stated: number;
    readonly computed: number;
  }[];
  /** Records, by the first digits of their hashes, that only one of the two rests on. */
  readonly statedOnly: readonly string[];
  readonly computedOnly: readonly string[];
  /** Whether both rest on the same records. */
  readonly sameRecords: boolean;
};

type Line = DocumentAmounts & Partial<StatementDocument["days"][number]>;

/**
 * What the two say differently beside the days, such as the currency, by name; they are the same
 * statement only if this and `dayDifferences` are empty.
 */
export function frameDifferences(
  stated: StatementDocument,
  computed: StatementDocument,
): readonly string[] {
  const names = Object.keys(computed) as (keyof StatementDocument)[];
  return names.filter(
    (name) => name !== "days" && name !== "total" && stated[name] !== computed[name],
  );
}

export function dayDifferences(
  stated: StatementDocument,
  computed: StatementDocument,
): readonly DayDifference[] {
  const byStart = new Map(stated.days.map((day) => [day.start_unix_s, day]));
  const found: DayDifference[] = [];
  for (const day of computed.days) {
    addDifference(found, day.start_unix_s, byStart.get(day.start_unix_s), day);
    byStart.delete(day.start_unix_s);
  }
  for (const day of byStart.values()) addDifference(found, day.start_unix_s, day, undefined);
  addDifference(found, undefined, stated.total, computed.total);
  return found;
}

function addDifference(
  found: DayDifference[],
  startS: number | undefined,
  stated: Line | undefined,
  computed: Line | undefined,
): void {
  const names = amountNamesOf(computed ?? stated);
  const amounts = names
    .map((name) => ({ name, stated: stated?.[name] ?? 0, computed: computed?.[name] ?? 0 }))
    .filter((each) => each.stated !== each.computed);
  const [theirs, ours] = [new Set(stated?.records), new Set(computed?.records)];
  const named = stated?.records !== undefined && computed?.records !== undefined;
  const sameRecords =
    stated?.records_digest === computed?.records_digest &&
    stated?.record_count === computed?.record_count;
  const isMissing = stated === undefined || computed === undefined;
  if (amounts.length === 0 && sameRecords && !isMissing) return;
  found.push({
    startS,
    amounts,
    statedOnly: named ? [...theirs].filter((each) => !ours.has(each)) : [],
    computedOnly: named ? [...ours].filter((each) => !theirs.has(each)) : [],
    sameRecords,
  });
}

function amountNamesOf(line: Line | undefined): readonly (keyof DocumentAmounts)[] {
  const names = Object.keys(line ?? {}) as (keyof DocumentAmounts)[];
  return names.filter((name) => /_(wh|cost|credit)$|^due$/.test(name));
}
