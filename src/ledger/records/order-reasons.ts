/**
 * Reasons that other pending records, or their order, bring about or take away. What is pending
 * does not follow from the ledger, so these are treated apart from all others wherever a record is
 * looked at before the block that would hold it is decided.
 *
 * Data is added and never changed or deleted. So the ledger's own word is of two kinds: that
 * something is there already stands for ever, that something is missing stands until it comes.
 */
import type { RuleReason } from "../violation.js";

/**
 * The ledger holds what excludes the record. On every manager that is at this height, or will ever
 * be, the record breaks a rule; so whoever finds it so on the ledger may refuse it for good.
 */
export const contradictions: ReadonlySet<RuleReason> = new Set([
  "PARENT_NOT_LATEST",
  "INTERVAL_OVERLAP",
  "TRADE_REPEATED",
] satisfies readonly RuleReason[]);

/** The ledger lacks what the record rests on; it may come with another record. */
export const curableReasons: ReadonlySet<RuleReason> = new Set([
  "PARENT_UNKNOWN",
  "DOUBLE_SPEND",
  "OVER_PURCHASE",
  "EXPORT_BELOW_SOLD",
  "IMPORT_BELOW_BOUGHT",
] satisfies readonly RuleReason[]);

export const reasonsOfOrder: ReadonlySet<RuleReason> = new Set([
  ...contradictions,
  ...curableReasons,
]);
