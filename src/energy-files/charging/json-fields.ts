/** The forms of what elements of JSON hold, and where one differs from its form. */
import { z } from "zod";
import type { FileProblem, Place } from "../file-values.js";
import { problem, within } from "./charging-session.js";

/** Ids, times and numbers; numbers come as their text. */
export const text = z.string().min(1).max(255);
export const optionalText = z.string().max(255).nullish();

type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: FileProblem };

/** `value` in the form of `schema`, or what is wrong with it. */
export function parsed<T>(
  schema: z.ZodType<T>,
  value: unknown,
  place: Place,
  station: string | undefined,
): Parsed<T> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return { ok: true, value: data };
  const path = error.issues[0]?.path ?? [];
  const field = path.map(stepText).join("").replace(/^\./, "").slice(0, 200);
  const isMissing = valueAt(value, path) === undefined;
  const message = isMissing ? "is missing" : "is not of the form that the format gives it";
  const at = field === "" ? place : within(place, field);
  return { ok: false, problem: problem(at, station, `${field} ${message}`.trim()) };
}

function stepText(key: PropertyKey): string {
  return typeof key === "number" ? `[${key}]` : `.${key.toString()}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const key of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Reflect.get(found, key);
  }
  return found;
}
