/**
 * Quality flags of the Meter Data File Format: a letter, and for some of them two digits that name
 * the method by which the value was made. The method does not go into the ledger.
 *
 * | flag | what the format calls it | here |
 * |---|---|---|
 * | A | actual | measured |
 * | E | forward estimate | estimated |
 * | S, F | substitute, final substitute | substituted |
 * | N | null: there are no values | absent |
 * | V | variable: rows 400 below say it, for ranges of intervals | – |
 */
import type { IntervalValue } from "../file-values.js";

export type Nem12Quality = IntervalValue["quality"] | "absent" | "variable";

const qualityOf: { readonly [flag: string]: Nem12Quality } = {
  A: "measured",
  E: "estimated",
  S: "substituted",
  F: "substituted",
  N: "absent",
  V: "variable",
};

/** Undefined if it is no quality of the format. */
export function parseQuality(text: string): Nem12Quality | undefined {
  const [, flag] = /^([AEFNSV])(?:\d{2})?$/.exec(text) ?? [];
  return flag === undefined ? undefined : qualityOf[flag];
}
