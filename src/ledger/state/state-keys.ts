/**
 * The keys of the ledger's state.
 *
 *     0x01 ‖ id                          participant      ParticipantState
 *     0x02 ‖ id in lower case            meter            MeterState
 *     0x03 ‖ record hash                 record           RecordState
 *     0x04 ‖ id ‖ 0x00 ‖ u64 start s     reading          ReadingState   of a meter, by the interval's start
 *     0x05 ‖ id ‖ 0x00 ‖ u64 start s     energy           EnergyState    of a participant, by the delivery interval's start
 *     0x06 ‖ trade id                    trade            TradeState
 *     0x07 ‖ invitation id ‖ id          invitation       InvitationState   of an operator
 *
 * Ids are ASCII without controls (ids.ts), so a 0x00 ends one without doubt. Which keys a record
 * touches is in effects.ts, and which a control operation touches in state-operations.ts.
 */
import { concatBytes, utf8 } from "../../base/bytes.js";
import { foldedId } from "../ids.js";

const namespaces = {
  participant: 1,
  meter: 2,
  record: 3,
  reading: 4,
  energy: 5,
  trade: 6,
  invitation: 7,
} as const;

export const stateKeys = {
  participant: (id: string): Uint8Array => idKey(namespaces.participant, id),
  meter: (id: string): Uint8Array => idKey(namespaces.meter, foldedId(id)),
  record: (hash: Uint8Array): Uint8Array => bytesKey(namespaces.record, hash),
  /** `meterId`: as it is registered. `startS`: start of the reading's interval, Unix s. */
  reading: (meterId: string, startS: number): Uint8Array =>
    intervalKey(namespaces.reading, meterId, startS),
  /** `startS`: start of the delivery interval, Unix s. */
  energy: (participantId: string, startS: number): Uint8Array =>
    intervalKey(namespaces.energy, participantId, startS),
  trade: (tradeId: Uint8Array): Uint8Array => bytesKey(namespaces.trade, tradeId),
  /** `invitationId`: 16 bytes. By operator, so that nobody uses up another one's invitation. */
  invitation: (invitationId: Uint8Array, operatorId: string): Uint8Array =>
    bytesKey(namespaces.invitation, concatBytes(invitationId, utf8(operatorId))),
} as const;

function bytesKey(namespace: number, bytes: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + bytes.length);
  key[0] = namespace;
  key.set(bytes, 1);
  return key;
}

function idKey(namespace: number, id: string): Uint8Array {
  const key = new Uint8Array(1 + id.length);
  key[0] = namespace;
  putAscii(key, id);
  return key;
}

// Keys are made several times for every record, so they are written in place rather than
// joined from parts.
function intervalKey(namespace: number, id: string, startS: number): Uint8Array {
  const key = new Uint8Array(1 + id.length + 1 + 8);
  key[0] = namespace;
  putAscii(key, id);
  const view = new DataView(key.buffer);
  view.setUint32(id.length + 2, Math.floor(startS / 2 ** 32));
  view.setUint32(id.length + 6, startS % 2 ** 32);
  return key;
}

function putAscii(key: Uint8Array, id: string): void {
  for (let i = 0; i < id.length; i++) key[1 + i] = id.charCodeAt(i);
}
