/** What readers make of a text, for tests. */
import type {
  FileItem,
  FileReader,
  IntervalValue,
} from "../../../../src/energy-files/file-values.js";
import { timeZoneOf } from "../../../../src/energy-files/time-zone.js";

const nowMs = Date.UTC(2026, 11, 1);

/** The file comes in chunks of so many bytes. */
export async function readAll(
  read: FileReader,
  file: string | Uint8Array,
  { zone, chunkBytes = 7 }: { readonly zone?: string; readonly chunkBytes?: number } = {},
): Promise<readonly FileItem[]> {
  const bytes = typeof file === "string" ? new TextEncoder().encode(file) : file;
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.slice(at, at + chunkBytes);
  }
  const items: FileItem[] = [];
  const options = { zone: zone === undefined ? undefined : timeZoneOf(zone), nowMs };
  for await (const item of read(chunks(), options)) items.push(item);
  return items;
}

/** "m1 imported 2026-03-29T00:00:00Z 900 s: 1/10 Wh", or "3 Column: what is wrong". */
export function textOf(item: FileItem): string {
  if (item.kind === "problem") {
    const { line, column } = item.place;
    return `${line}${column === undefined ? "" : ` ${column}`}: ${item.message}`;
  }
  if (item.kind === "session") {
    const { stationName, sessionName, startS, endS, energy } = item;
    return `${stationName} ${sessionName} ${iso(startS)} ${iso(endS)}: ${wh(energy)}`;
  }
  if (item.kind === "register") return `${item.meterName} register`;
  const { meterName, direction, startS, intervalS, energy, quality } = item;
  const what = quality === "measured" ? "" : ` ${quality}`;
  return `${meterName} ${direction} ${iso(startS)} ${intervalS} s: ${wh(energy)}${what}`;
}

export function iso(unixS: number): string {
  return new Date(unixS * 1000).toISOString().replace(".000Z", "Z");
}

/** Wh as a number, for amounts that a double holds. */
export function wh({ amount, perWh }: IntervalValue["energy"]): string {
  return `${Number(amount) / Number(perWh)} Wh`;
}
