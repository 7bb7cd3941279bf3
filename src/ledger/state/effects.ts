/**
 * What a record reads of the state and does to it. The keys follow from the parsed record alone:
 * whoever executes records fetches them first, and the execution needs no I/O.
 */
import { create } from "@bufbuild/protobuf";
import { defined } from "../../base/assert.js";
import { emptyBytes } from "../../base/bytes.js";
import { RecordStateSchema } from "../../gen/bss/store/v1/state_pb.js";
import { kindOf } from "../kinds/kinds.js";
import type { ParsedRecord } from "../records/records.js";
import { stateKeys } from "./state-keys.js";
import type { StateTables } from "./state-tables.js";

/** Where a record stands: its block, and its index in the Merkle log. */
export type RecordPlace = { readonly height: number; readonly position: number };

/**
 * Every key that checking and applying the record, submitted by its owner, can read or write; with
 * repeats.
 */
export function readKeys(record: ParsedRecord): readonly Uint8Array[] {
  const keys = [stateKeys.participant(record.ownerId), stateKeys.record(record.hash)];
  if (record.parent !== undefined) keys.push(stateKeys.record(record.parent));
  return [...keys, ...kindOf(record).stateKeys(record), ...energyKeys(record)];
}

/** The keys of the sums of energy that the record changes or draws on. */
export function energyKeys(record: ParsedRecord): readonly Uint8Array[] {
  const uses = kindOf(record).energy(record);
  return uses.map(({ participantId, deliveryStartS }) =>
    stateKeys.energy(participantId, deliveryStartS),
  );
}

/**
 * The keys of all records of a submission, or of a part of one, and of its submitter; with repeats.
 */
export function readKeysOfSubmission(submission: {
  readonly participantId: string;
  readonly records: readonly ParsedRecord[];
}): readonly Uint8Array[] {
  return [stateKeys.participant(submission.participantId), ...submission.records.flatMap(readKeys)];
}

/**
 * Writes the effects of a record, which must have passed every rule against the same state: it
 * becomes known by its hash, its parent gets it as successor, and its kind adds what it says.
 */
export function applyRecord(tables: StateTables, record: ParsedRecord, place: RecordPlace): void {
  const kind = kindOf(record);
  // Before the parent is marked: an update replaces what the parent added.
  const kept = kind.apply(tables, record);
  tables.records.put(
    [record.hash],
    create(RecordStateSchema, {
      ownerId: record.ownerId,
      kind: kind.stored,
      height: BigInt(place.height),
      position: BigInt(place.position),
      successor: emptyBytes,
      ...kept,
    }),
  );
  if (record.parent !== undefined) {
    const parent = defined(tables.records.get(record.parent), "an accurate update has a parent");
    tables.records.put([record.parent], { ...parent, successor: record.hash });
  }
}
