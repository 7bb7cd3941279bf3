/**
 * Every rule, in the order in which they run. The first one that a record breaks is the one that is
 * reported, so rules on which others rest come first. Signatures are rules too, but their check is
 * an obligation (signatures.ts).
 */
import type { RuleReason, Violation } from "../violation.js";
import { parentIsLatest, saltIsPresent, timeIsPossible } from "./common.js";
import { documentIsNamed } from "./document.js";
import {
  ownerIsRegistered,
  recordIsNew,
  submitterActsForOwner,
  submitterIsRegistered,
} from "./identity.js";
import {
  meterBelongsToOwner,
  readingCoversTrades,
  readingIntervalIsAligned,
  readingIntervalIsFree,
  readingIsWithinRating,
} from "./reading.js";
import type { Rule, RuleContext } from "./rule.js";
import { sessionIsPlausible } from "./session.js";
import {
  tradeHasTwoParties,
  tradeIsCovered,
  tradeIsNew,
  tradeIsWithinBounds,
  tradeUpdateKeepsParties,
} from "./trade.js";

export const rules: readonly Rule[] = [
  recordIsNew,
  submitterIsRegistered,
  ownerIsRegistered,
  submitterActsForOwner,
  saltIsPresent,
  timeIsPossible,
  parentIsLatest,
  meterBelongsToOwner,
  readingIntervalIsAligned,
  readingIntervalIsFree,
  readingIsWithinRating,
  readingCoversTrades,
  tradeHasTwoParties,
  tradeIsWithinBounds,
  tradeIsNew,
  tradeUpdateKeepsParties,
  tradeIsCovered,
  sessionIsPlausible,
  documentIsNamed,
];

/** Rules that are kept by verifying signatures, with the same description as the others. */
export const signatureRules: readonly Omit<Rule, "check">[] = [
  {
    id: "submission-is-signed",
    demands: "The submission's signature verifies under its submitter's registered key.",
    reasons: ["SIGNATURE_INVALID"] satisfies readonly RuleReason[],
  },
  {
    id: "trade-is-signed",
    demands:
      "The seller's and the buyer's signatures over the terms verify under their registered keys.",
    reasons: ["TRADE_SIGNATURE_INVALID"] satisfies readonly RuleReason[],
  },
];

/** Ids of all rules in force, for GetConsortium. */
export const ruleIds: readonly string[] = [...signatureRules, ...rules].map((rule) => rule.id);

/**
 * The first rule that the record breaks, as the catalogue orders them; undefined when it
 * keeps them all.
 */
export function checkRules(context: RuleContext): Violation | undefined {
  for (const rule of rules) {
    const broken = rule.check(context);
    if (broken !== undefined) return broken;
  }
  return undefined;
}
