/**
 * How good a reading is, in codes of ESPI (QualityOfReading), and what the ledger keeps of it.
 *
 * | here | codes |
 * |---|---|
 * | measured | 0 valid, 14 raw, 17 validated, 18 verified, 19 of revenue quality |
 * | substituted | 7 edited by hand, 11 derived, 15 normalised for weather |
 * | estimated | 8 by a day of reference, 9 by interpolation, 12 projected |
 * | estimated too | 10 questionable, 13 mixed, 16 other: they promise no measurement |
 */
import type { IntervalValue } from "../file-values.js";

type Quality = IntervalValue["quality"];

const qualityOf = new Map<string, Quality>([
  ["0", "measured"],
  ["7", "substituted"],
  ["8", "estimated"],
  ["9", "estimated"],
  ["10", "estimated"],
  ["11", "substituted"],
  ["12", "estimated"],
  ["13", "estimated"],
  ["14", "measured"],
  ["15", "substituted"],
  ["16", "estimated"],
  ["17", "measured"],
  ["18", "measured"],
  ["19", "measured"],
]);

const fromBest: readonly Quality[] = ["measured", "substituted", "estimated"];

/** The least of one or more codes; undefined if one of them is none of ESPI. */
export function parseQualities(codes: readonly string[]): Quality | undefined {
  let least = 0;
  for (const code of codes) {
    const quality = qualityOf.get(code);
    if (quality === undefined) return undefined;
    least = Math.max(least, fromBest.indexOf(quality));
  }
  return fromBest[least];
}
