/** Which format a file has, by its beginning. */
import { encodingByMark } from "../../energy-files/csv/csv-text.js";
import { fileFormats } from "../../energy-files/readers.js";
import type { Input } from "../sending/input.js";

const beginningBytes = 16 * 1024;

/** The name of a format; "csv" for what no other one recognises. */
export function formatOf(input: Pick<Input, "readBeginning">): string {
  const bytes = input.readBeginning(beginningBytes);
  const text = new TextDecoder(encodingByMark(bytes) ?? "utf-8").decode(bytes);
  const found = Object.entries(fileFormats).find(([, { recognises }]) => recognises(text));
  return found?.[0] ?? "csv";
}
