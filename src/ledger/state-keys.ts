/**
 * The keys of the ledger's state, and which of them a record can touch.
 *
 *     0x01 ‖ id                          participant      ParticipantState
 *     0x02 ‖ id                          meter            MeterState
 *     0x03 ‖ record hash                 record           RecordState
 *     0x04 ‖ id ‖ 0x00 ‖ u64 start s     reading          ReadingState   of a meter, by the interval's start
 *     0x05 ‖ id ‖ 0x00 ‖ u64 start s     energy           EnergyState    of a participant, by the delivery interval's start
 *     0x06 ‖ trade id                    trade            TradeState
 *
 * Ids are [a-z0-9-]{1,63}, so a 0x00 ends one without doubt. The keys that a record's rules read and its effects write follow
 * from the parsed record alone: whoever executes records fetches them first, and the execution needs no I/O.
 */
import { concatBytes, u64be, utf8 } from "../base/bytes.js";
import type { ControlOperation } from "../gen/bss/v1/genesis_pb.js";
import type { ParsedRecord } from "./records.js";

const namespaces = {
  participant: Uint8Array.of(1),
  meter: Uint8Array.of(2),
  record: Uint8Array.of(3),
  reading: Uint8Array.of(4),
  energy: Uint8Array.of(5),
  trade: Uint8Array.of(6),
} as const;

const idEnd = Uint8Array.of(0);

export const stateKeys = {
  participant: (id: string): Uint8Array => concatBytes(namespaces.participant, utf8(id)),
  meter: (id: string): Uint8Array => concatBytes(namespaces.meter, utf8(id)),
  record: (hash: Uint8Array): Uint8Array => concatBytes(namespaces.record, hash),
  /** `startS`: start of the reading's interval, Unix s. */
  reading: (meterId: string, startS: number): Uint8Array =>
    concatBytes(namespaces.reading, utf8(meterId), idEnd, u64be(startS)),
  /** `startS`: start of the delivery interval, Unix s. */
  energy: (participantId: string, startS: number): Uint8Array =>
    concatBytes(namespaces.energy, utf8(participantId), idEnd, u64be(startS)),
  trade: (tradeId: Uint8Array): Uint8Array => concatBytes(namespaces.trade, tradeId),
} as const;

/** Every key that checking and applying the record, submitted by its owner, can read or write; with repeats. */
export function readKeys(record: ParsedRecord): readonly Uint8Array[] {
  const keys = [stateKeys.participant(record.ownerId), stateKeys.record(record.hash)];
  if (record.parent !== undefined) keys.push(stateKeys.record(record.parent));
  const payload = record.payload;
  switch (payload.kind) {
    case "meter-reading":
      keys.push(stateKeys.meter(payload.meterId));
      keys.push(stateKeys.reading(payload.meterId, payload.intervalStartS));
      keys.push(stateKeys.energy(record.ownerId, payload.deliveryStartS));
      break;
    case "energy-trade":
      keys.push(stateKeys.participant(payload.buyerId));
      keys.push(stateKeys.trade(payload.tradeId));
      keys.push(stateKeys.energy(payload.sellerId, payload.deliveryStartS));
      keys.push(stateKeys.energy(payload.buyerId, payload.deliveryStartS));
      break;
    case "charging-session":
    case "document":
      break;
  }
  return keys;
}

/** The keys of all records of a submission, or of a part of one, and of its submitter; with repeats. */
export function readKeysOfSubmission(submission: {
  readonly participantId: string;
  readonly records: readonly ParsedRecord[];
}): readonly Uint8Array[] {
  return [stateKeys.participant(submission.participantId), ...submission.records.flatMap(readKeys)];
}

/** Every key that checking and applying a control operation can read or write. */
export function readKeysOfOperation({ operation }: ControlOperation): readonly Uint8Array[] {
  switch (operation.case) {
    case "registerParticipant":
      return [stateKeys.participant(operation.value.participantId)];
    case "registerMeter":
      return [
        stateKeys.meter(operation.value.meterId),
        stateKeys.participant(operation.value.ownerId),
      ];
    case "admitStorageNode":
      return [stateKeys.participant(operation.value.nodeId)];
    case "registerOfficer":
      return [stateKeys.participant(operation.value.officerId)];
    case undefined:
      return [];
  }
}
