/** What readers of charging sessions make of a text, in a form that tests can compare. */
import {
  type FileItem,
  type FileReader,
  FileUnreadable,
} from "../../../../src/energy-files/file-values.js";
import { itemsOf, type ReadingParts } from "../support/reading.js";

/** A line for each item. */
export async function linesOf(
  reader: FileReader,
  content: string | Uint8Array,
  parts: ReadingParts = {},
): Promise<readonly string[]> {
  return (await itemsOf(reader, content, parts)).map(lineOf);
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
