/**
 * What a record reads of the state and does to it. The keys follow from the parsed record alone:
 * whoever executes records fetches them first, and the execution needs no I/O.
 */
import { defined } from "../../base/assert.js";
import { kindOf } from "../kinds/kinds.js";
import type { ParsedRecord } from "../records/records.js";
import type { RecordPlace } from "./record-state.js";
import { StateKeyList } from "./state-key-list.js";
import type { StateTables } from "./state-tables.js";

/**
 * Every key that checking and applying the record, submitted by its owner, can read or write; with
 * repeats.
 */
export function readKeys(record: ParsedRecord): readonly Uint8Array[] {
  const list = new StateKeyList();
  addReadKeys(record, list);
  return list.keys;
}

/**
 * The keys of all records of a submission, or of a part of one, and of its submitter; with repeats.
 */
export function readKeysOfSubmission(submission: {
  readonly participantId: string;
  readonly records: readonly ParsedRecord[];
}): readonly Uint8Array[] {
  const list = new StateKeyList();
  list.participant(submission.participantId);
  for (const record of submission.records) addReadKeys(record, list);
  return list.keys;
}

function addReadKeys(record: ParsedRecord, list: StateKeyList): void {
  list.participant(record.ownerId);
  const kind = kindOf(record);
  const standing = kind.standsFor?.(record.payload);
  if (standing === undefined) list.record(record.hash);
  else list.intervalRecord(record.hash, standing.meterId, standing.at);
  if (record.parent !== undefined) list.record(record.parent);
  kind.addStateKeys(record, list);
  for (const { participantId, first, last } of kind.energy(record)) {
    const end = last.deliveryAt.window;
    for (let at = first.deliveryAt.window; at <= end; at++) list.energy(participantId, at);
  }
}

/**
 * Writes the effects of a record, which must have passed every rule against the same state: it
 * becomes known by its hash, its parent gets it as successor, and its kind adds what it says.
 */
export function applyRecord(tables: StateTables, record: ParsedRecord, place: RecordPlace): void {
  const kind = kindOf(record);
  // Before the parent is marked: an update replaces what the parent added.
  const kept = kind.apply(tables, record, place);
  const { height, position } = place;
  const owner = defined(tables.participants.get(record.ownerId), "an accurate record has an owner");
  const ownerNumber = owner.number;
  const stored = {
    kind: kind.stored,
    ownerNumber,
    height,
    position,
    trade: undefined,
    profile: undefined,
    ...kept,
    successor: undefined,
  };
  tables.records.put([record.hash], stored);
  if (record.parent !== undefined) {
    const parent = defined(tables.records.get(record.parent), "an accurate update has a parent");
    tables.records.put([record.parent], { ...parent, successor: record.hash });
  }
}
