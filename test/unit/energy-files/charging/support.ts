/** What readers of charging sessions make of a text, in a form that tests can compare. */
import {
  type FileItem,
  type FileReader,
  FileUnreadable,
} from "../../../../src/energy-files/file-values.js";
import type { TimeZone } from "../../../../src/energy-files/time-zone.js";

export const nowMs = Date.parse("2026-12-01T00:00:00Z");

export async function* chunksOf(
  bytes: Uint8Array,
  chunkBytes = 65_536,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

export async function itemsOf(
  reader: FileReader,
  content: string | Uint8Array,
  { chunkBytes, zone }: { chunkBytes?: number; zone?: TimeZone } = {},
): Promise<readonly FileItem[]> {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const items: FileItem[] = [];
  const options = { nowMs, zone };
  for await (const item of reader(chunksOf(bytes, chunkBytes), options)) items.push(item);
  return items;
}

/** A line for each item. */
export async function linesOf(
  reader: FileReader,
  content: string | Uint8Array,
  options: { chunkBytes?: number; zone?: TimeZone } = {},
): Promise<readonly string[]> {
  return (await itemsOf(reader, content, options)).map(lineOf);
}

/** Why a file is refused as a whole. */
export async function refusalOf(reader: FileReader, content: string | Uint8Array): Promise<string> {
  try {
    await itemsOf(reader, content);
  } catch (error) {
    if (error instanceof FileUnreadable) return `${error.message}; ${error.next}`;
    throw error;
  }
  return "";
}

function lineOf(item: FileItem): string {
  const { line, column } = item.place;
  const where = column === undefined ? `${line}` : `${line} ${column}`;
  if (item.kind === "problem") {
    return [where, "problem", item.message].join(" | ");
  }
  if (item.kind !== "session") throw new Error(`readers of sessions give no ${item.kind}`);
  const { stationName, sessionName, startS, endS, energy } = item;
  const wh = `${energy.amount}/${energy.perWh}`;
  return [where, "session", stationName, sessionName, startS, endS, wh].join(" | ");
}
