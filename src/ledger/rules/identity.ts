/** Who may put which record on the ledger. */
import { violation } from "../violation.js";
import type { Rule } from "./rule.js";

export const recordIsNew: Rule = {
  id: "record-is-new",
  demands: "A record is added once; its submitter gets the first receipt again.",
  reasons: ["RECORD_ON_LEDGER"],
  check({ record, state }) {
    if (state.records.get(record.hash) === undefined) return undefined;
    return violation("RECORD_ON_LEDGER", `Record ${record.hashHex} is on the ledger already.`);
  },
};

export const submitterIsRegistered: Rule = {
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

export const ownerIsRegistered: Rule = {
  id: "owner-is-registered",
  demands: "The record's owner is a registered participant.",
  reasons: ["OWNER_UNKNOWN"],
  check({ record: { ownerId }, state }) {
    if (state.participants.get(ownerId) !== undefined) return undefined;
    return violation("OWNER_UNKNOWN", `No participant ${ownerId} is registered.`, "owner_id");
  },
};

export const submitterActsForOwner: Rule = {
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
