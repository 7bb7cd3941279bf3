import type { ExactWh, FileItem, FileReader } from "../../../../src/energy-files/file-values.js";

/** Everything that a reader gives for a file that comes in chunks of so many bytes. */
export async function itemsOf(
  reader: FileReader,
  file: string | Uint8Array,
  chunkBytes = 65_536,
): Promise<FileItem[]> {
  const bytes = typeof file === "string" ? Buffer.from(file) : file;
  const items: FileItem[] = [];
  for await (const item of reader(inChunks(bytes, chunkBytes), { nowMs: 0 })) items.push(item);
  return items;
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
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
  return items.flatMap((item) => {
    if (item.kind !== "problem") return [];
    const { line, column } = item.place;
    return [`${line}${column === undefined ? "" : ` ${column}`}: ${item.message}`];
  });
}
