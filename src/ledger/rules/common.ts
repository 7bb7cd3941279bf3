/**
 * What every record must have, whatever it says: a salt, a time that can be true, and a parent that
 * is the latest version.
 */

import { recordKindOf } from "../records/record-kind.js";
import type { ParsedRecord } from "../records/records.js";
import { isoTimeOfMs, isoTimeOfS } from "../times.js";
import { type Violation, violation } from "../violation.js";
import type { Rule } from "./rule.js";

export const saltBytes = 16;

export const saltIsPresent: Rule = {
  id: "salt-is-present",
  demands: "A record has a salt of 16 bytes.",
  reasons: ["SALT_INVALID"],
  check({ record: { record } }) {
    if (record.salt.length === saltBytes) return undefined;
    return violation("SALT_INVALID", `The salt has ${record.salt.length} bytes, not 16.`, "salt");
  },
};

/** A trade is agreed on so long before its delivery at most; a session lasts so long at most. */
export const spanSMax = 366 * 86_400;

/** Old times are legitimate: a meter may have been out of reach for weeks. */
export const timeIsPossible: Rule = {
  id: "time-is-possible",
  demands:
    "A record's time is positive, not before the end of what it records, of a trade at most 366 days before its delivery, and at most the policy's bound after the block's time.",
  reasons: ["TIME_INVALID", "TIME_IN_FUTURE"],
  check({ record, timestampMs, policy }) {
    const { timeMs } = record;
    const field = "time_unix_ms";
    if (timeMs <= 0) return violation("TIME_INVALID", "The time is not positive.", field);
    const endS = completeAtS(record);
    if (Math.floor(timeMs / 1000) < endS) {
      const message = `The time is before the end of what is recorded, ${isoTimeOfS(endS)}.`;
      return violation("TIME_INVALID", message, field);
    }
    const { payload } = record;
    const agreedS = payload.kind === "energy-trade" ? payload.deliveryStartS - spanSMax : 0;
    if (Math.floor(timeMs / 1000) < agreedS) {
      const message =
        `The time ${isoTimeOfMs(timeMs)} is more than 366 days before the delivery, ` +
        `${isoTimeOfS(agreedS + spanSMax)}.`;
      return violation("TIME_INVALID", message, field);
    }
    if (timeMs <= timestampMs + policy.futureBoundMs) return undefined;
    const message =
      `The time ${isoTimeOfMs(timeMs)} is more than ${policy.futureBoundMs} ms after the ` +
      `block's, ${isoTimeOfMs(timestampMs)}.`;
    return violation("TIME_IN_FUTURE", message, field);
  },
};

/** Two updates of one version conflict: whichever stands first wins, and the other is refused. */
export const parentIsLatest: Rule = {
  id: "parent-is-latest",
  demands:
    "An update names the latest version of a record that is on the ledger, with the same owner and kind of payload.",
  reasons: ["PARENT_UNKNOWN", "PARENT_OWNER_MISMATCH", "PARENT_KIND_MISMATCH", "PARENT_NOT_LATEST"],
  check({ record, state }): Violation | undefined {
    if (record.parent === undefined) return undefined;
    const parent = state.records.get(record.parent);
    const field = "parent";
    if (parent === undefined) {
      return violation("PARENT_UNKNOWN", "The parent is not on the ledger.", field);
    }
    if (parent.ownerId !== record.ownerId) {
      const message = "The parent belongs to another participant.";
      return violation("PARENT_OWNER_MISMATCH", message, field);
    }
    if (parent.kind !== recordKindOf(record.kind)) {
      const message = `The parent is not a ${record.kind}.`;
      return violation("PARENT_KIND_MISMATCH", message, field);
    }
    if (parent.successor.length === 0) return undefined;
    return violation("PARENT_NOT_LATEST", "The parent has been updated already.", field);
  },
};

/** When what the record says was complete, Unix s; 0 when it says nothing about that. */
function completeAtS({ payload }: ParsedRecord): number {
  switch (payload.kind) {
    case "meter-reading":
      return payload.intervalStartS + payload.intervalS;
    case "charging-session":
      return payload.endS;
    case "energy-trade":
    case "document":
      return 0;
  }
}
