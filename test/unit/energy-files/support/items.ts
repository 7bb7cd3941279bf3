/** What items of files say, in forms that tests can compare. */
import type { ExactWh, FileItem, FileProblem } from "../../../../src/energy-files/file-values.js";

/** "m1 imported 2026-03-29T00:00:00Z 900 s: 0.1 Wh", or "3 Column: what is wrong". */
export function textOf(item: FileItem): string {
  if (item.kind === "problem") return problemText(item);
  if (item.kind === "session") {
    const { stationName, sessionName, ownerName, startS, endS, energy } = item;
    const owner = ownerName === undefined ? "" : `of ${ownerName} `;
    return `${stationName} ${sessionName} ${owner}${iso(startS)} ${iso(endS)}: ${whText(energy)} Wh`;
  }
  if (item.kind === "register") return `${item.meterName} register`;
  const { meterName, direction, startS, intervalS, energy, quality } = item;
  const what = quality === "measured" ? "" : ` ${quality}`;
  return `${meterName} ${direction} ${iso(startS)} ${intervalS} s: ${whText(energy)} Wh${what}`;
}

export function iso(unixS: number): string {
  return new Date(unixS * 1000).toISOString().replace(".000Z", "Z");
}

/** Wh as a decimal number. */
export function whText({ amount, perWh }: ExactWh): string {
  let fraction = "";
  let rest = amount % perWh;
  while (rest !== 0n) {
    rest *= 10n;
    fraction += rest / perWh;
    rest %= perWh;
  }
  return `${amount / perWh}${fraction === "" ? "" : `.${fraction}`}`;
}

export type Series = {
  readonly meter: string;
  readonly direction: string;
  readonly intervalS: number;
  readonly values: (readonly [startS: number, wh: string, quality: string])[];
};

/** The values, by meter and direction, as the expected files of test/vectors have them. */
export function seriesOf(items: readonly FileItem[]): Series[] {
  const all = new Map<string, Series>();
  for (const item of items) {
    if (item.kind !== "value") continue;
    const { meterName: meter, direction, intervalS, startS, energy, quality } = item;
    const key = JSON.stringify([meter, direction, intervalS]);
    const series = all.get(key) ?? { meter, direction, intervalS, values: [] };
    all.set(key, series);
    series.values.push([startS, whText(energy), quality]);
  }
  return [...all.values()];
}

/** "12 E1 interval 3: what is wrong". */
export function problemsOf(items: readonly FileItem[]): string[] {
  return items.flatMap((item) => (item.kind === "problem" ? [problemText(item)] : []));
}

function problemText({ place: { line, column }, message }: FileProblem): string {
  return `${line}${column === undefined ? "" : ` ${column}`}: ${message}`;
}
