/** How the options of `bss submit` are read. Everything throws `InvalidArgumentError`. */
import { InvalidArgumentError } from "commander";
import { type TimeZone, timeZoneOf } from "../text/time-zone.js";
import type { ColumnMapping } from "./input/csv-header.js";

export function addColumn(
  text: string,
  before: readonly ColumnMapping[],
): readonly ColumnMapping[] {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new InvalidArgumentError("Use <name=field>.");
  const [column, field] = [text.slice(0, at), text.slice(at + 1)];
  if (before.some((each) => each.column === column)) {
    throw new InvalidArgumentError(`Name the column ${column} once.`);
  }
  return [...before, { column, field }];
}

export function addConstant(
  text: string,
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Use <field=value>.");
  const [field, value] = [text.slice(0, at), text.slice(at + 1).trim()];
  if (before.has(field)) throw new InvalidArgumentError(`Give ${field} once.`);
  return new Map([...before, [field, value]]);
}

export function addText(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

export function parseZone(text: string): TimeZone {
  const zone = timeZoneOf(text);
  if (zone !== undefined) return zone;
  throw new InvalidArgumentError("Use a name such as Europe/Berlin, or an offset such as +01:00.");
}

export function parseDelimiter(text: string): string {
  if (text === "\\t") return "\t";
  if (text !== "") return text;
  throw new InvalidArgumentError("Use one character, such as ';'.");
}
