/**
 * The rules: what every record must keep, whatever it says, and then what its kind demands. The
 * first one that a record breaks is the one that is reported, so rules on which others rest come
 * first. Signatures are rules too, but their check is an obligation (signatures.ts).
 */
import type { Rule, RuleContext, RuleDescription } from "../kinds/kind.js";
import { type AnyKind, kindOf, type Payload, recordKinds } from "../kinds/kinds.js";
import { isoTimeOfMs } from "../times.js";
import { type RuleReason, type Violation, violation } from "../violation.js";
import { saltBytes } from "./records.js";

const recordIsNew: Rule<Payload> = {
  id: "record-is-new",
  demands: "A record is added once; its submitter gets the first receipt again.",
  reasons: ["RECORD_ON_LEDGER"],
  check({ record, state }) {
    if (state.records.get(record.hash) === undefined) return undefined;
    return violation("RECORD_ON_LEDGER", `Record ${record.hashHex} is on the ledger already.`);
  },
};

const submitterIsRegistered: Rule<Payload> = {
  id: "submitter-is-registered",
  demands: "The submitter is a registered participant.",
  reasons: ["PARTICIPANT_UNKNOWN"],
  check({ submission: { participantId }, state }) {
    if (state.participants.get(participantId) !== undefined) {
      return undefined;
    }
    return violation("PARTICIPANT_UNKNOWN", `No participant ${participantId} is registered.`);
  },
};

const ownerIsRegistered: Rule<Payload> = {
  id: "owner-is-registered",
  demands: "The record's owner is a registered participant.",
  reasons: ["OWNER_UNKNOWN"],
  check({ record: { ownerId }, state }) {
    if (state.participants.get(ownerId) !== undefined) return undefined;
    return violation("OWNER_UNKNOWN", `No participant ${ownerId} is registered.`, "owner_id");
  },
};

const submitterActsForOwner: Rule<Payload> = {
  id: "submitter-acts-for-owner",
  demands: "The submitter is the record's owner or an agent that the owner's registration names.",
  reasons: ["AGENT_NOT_AUTHORIZED"],
  check({ record: { ownerId }, submission: { participantId }, state }) {
    if (participantId === ownerId) return undefined;
    const owner = state.participants.get(ownerId);
    if (owner?.agentIds.includes(participantId)) return undefined;
    return violation(
      "AGENT_NOT_AUTHORIZED",
      `${participantId} is not an agent of ${ownerId}.`,
      "owner_id",
    );
  },
};

const saltIsPresent: Rule<Payload> = {
  id: "salt-is-present",
  demands: "A record has a salt of 16 bytes.",
  reasons: ["SALT_INVALID"],
  check({ record: { salt } }) {
    if (salt.length === saltBytes) return undefined;
    return violation("SALT_INVALID", `The salt has ${salt.length} bytes, not 16.`, "salt");
  },
};

/** Old times are legitimate: a meter may have been out of reach for weeks. */
const timeIsPossible: Rule<Payload> = {
  id: "time-is-possible",
  demands:
    "A record's time is positive, not before the end of what it records, of a trade at most 366 days before its delivery, and at most the policy's bound after the block's time.",
  reasons: ["TIME_INVALID", "TIME_IN_FUTURE"],
  check({ record, timestampMs, policy }) {
    const { timeMs, payload } = record;
    const field = "time_unix_ms";
    if (timeMs <= 0) return violation("TIME_INVALID", "The time is not positive.", field);
    const tooEarly = kindOf(record).whyTooEarly(payload, timeMs);
    if (tooEarly !== undefined) return violation("TIME_INVALID", tooEarly, field);
    if (timeMs <= timestampMs + policy.futureBoundMs) return undefined;
    const message =
      `The time ${isoTimeOfMs(timeMs)} is more than ${policy.futureBoundMs} ms after the ` +
      `block's, ${isoTimeOfMs(timestampMs)}.`;
    return violation("TIME_IN_FUTURE", message, field);
  },
};

/** Two updates of one version conflict: whichever stands first wins, and the other is refused. */
const parentIsLatest: Rule<Payload> = {
  id: "parent-is-latest",
  demands:
    "An update names the latest version of a record that is on the ledger, with the same owner and kind of payload.",
  reasons: ["PARENT_UNKNOWN", "PARENT_OWNER_MISMATCH", "PARENT_KIND_MISMATCH", "PARENT_NOT_LATEST"],
  check({ record, state }) {
    if (record.parent === undefined) return undefined;
    const parent = state.records.get(record.parent);
    const field = "parent";
    if (parent === undefined) {
      return violation("PARENT_UNKNOWN", "The parent is not on the ledger.", field);
    }
    if (parent.ownerNumber !== state.participants.get(record.ownerId)?.number) {
      const message = "The parent belongs to another participant.";
      return violation("PARENT_OWNER_MISMATCH", message, field);
    }
    const kind = kindOf(record);
    if (parent.kind !== kind.stored) {
      const message = `The parent is not a ${kind.label}.`;
      return violation("PARENT_KIND_MISMATCH", message, field);
    }
    if (parent.successor === undefined) return undefined;
    const message = "The parent has been updated already.";
    const standing = { hash: parent.successor };
    return { ...violation("PARENT_NOT_LATEST", message, field), standing };
  },
};

/** What every record must keep, in the order in which it is checked. */
const rulesOfEveryRecord: readonly Rule<Payload>[] = [
  recordIsNew,
  submitterIsRegistered,
  ownerIsRegistered,
  submitterActsForOwner,
  saltIsPresent,
  timeIsPossible,
  parentIsLatest,
];

const submissionIsSigned: RuleDescription = {
  id: "submission-is-signed",
  demands: "The submission's signature verifies under its submitter's registered key.",
  reasons: ["SIGNATURE_INVALID"],
};

const kinds: readonly AnyKind[] = Object.values(recordKinds);

/** Every rule in force: those that signatures keep, those of every record, those of each kind. */
export const rules: readonly RuleDescription[] = [
  submissionIsSigned,
  ...kinds.flatMap(({ signatureRules }) => signatureRules),
  ...rulesOfEveryRecord,
  ...kinds.flatMap((kind) => kind.rules),
];

/** The first rule that the record breaks; undefined when it keeps them all. */
export function checkRules(context: RuleContext<Payload>): Violation | undefined {
  return (
    firstBroken(rulesOfEveryRecord, context) ?? firstBroken(kindOf(context.record).rules, context)
  );
}

function firstBroken(
  inOrder: readonly Rule<Payload>[],
  context: RuleContext<Payload>,
): Violation | undefined {
  for (const rule of inOrder) {
    const broken = rule.check(context);
    if (broken !== undefined) return broken;
  }
  return undefined;
}

// Whether a record breaks some rules depends on other pending records and on their order. Pending
// records do not follow from the ledger, so whoever looks at a record before a block is decided
// treats the reasons below apart from all others. The ledger only grows: what excludes a record
// stays there, and what a record lacks may still come.

/**
 * The ledger holds what excludes the record: it breaks the rule on every manager at this height,
 * and at later ones unless an update of a load profile leaves its interval out. So a manager that
 * finds this on its ledger refuses the record at once; if the interval is free elsewhere already,
 * the record can be sent again.
 */
export const contradictions: ReadonlySet<RuleReason> = new Set([
  "PARENT_NOT_LATEST",
  "INTERVAL_OVERLAP",
  "TRADE_REPEATED",
] satisfies readonly RuleReason[]);

/** The ledger lacks what the record rests on, which another record may bring. */
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
