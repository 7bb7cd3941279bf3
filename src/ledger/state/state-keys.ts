/**
 * The keys of the ledger's state.
 *
 *     0x01 ‖ id                          participant      ParticipantState
 *     0x02 ‖ id in lower case            meter            MeterState
 *     0x03 ‖ record hash                 record           record-state.ts
 *     0x04 ‖ id ‖ 0x00 ‖ window          readings         of a meter in 96 of its intervals: windows.ts
 *     0x05 ‖ id ‖ 0x00 ‖ window          energy           of a participant in 96 delivery intervals: windows.ts
 *     0x06 ‖ trade id                    trade            the record's position in the Merkle log: an integer of compact.ts
 *     0x07 ‖ invitation id ‖ id          invitation       InvitationState   of an operator
 *     0x08                               participants     how many are registered: an integer of compact.ts
 *
 * Ids are ASCII without controls (ids.ts), so a 0x00 ends one without doubt. A window is a number,
 * big-endian in as few bytes as hold it. Which keys a record touches is in effects.ts, and which a
 * control operation touches in state-operations.ts.
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
  participantCount: 8,
} as const;

export const stateKeys = {
  participant: (id: string): Uint8Array => idKey(namespaces.participant, id),
  meter: (id: string): Uint8Array => idKey(namespaces.meter, foldedId(id)),
  record: (hash: Uint8Array): Uint8Array => bytesKey(namespaces.record, hash),
  /** `meterId`: as it is registered. */
  readings: (meterId: string, window: number): Uint8Array =>
    windowKey(namespaces.reading, meterId, window),
  energy: (participantId: string, window: number): Uint8Array =>
    windowKey(namespaces.energy, participantId, window),
  trade: (tradeId: Uint8Array): Uint8Array => bytesKey(namespaces.trade, tradeId),
  /** `invitationId`: 16 bytes. By operator, so that nobody uses up another one's invitation. */
  invitation: (invitationId: Uint8Array, operatorId: string): Uint8Array =>
    bytesKey(namespaces.invitation, concatBytes(invitationId, utf8(operatorId))),
  participantCount: (): Uint8Array => Uint8Array.of(namespaces.participantCount),
} as const;

/**
 * Whether a value is likely to be read again soon after it was written. Those of records and trades
 * are read again when one is updated, or handed in twice.
 */
export function rememberedAfterWrite(key: Uint8Array): boolean {
  return key[0] !== namespaces.record && key[0] !== namespaces.trade;
}

/**
 * Whether the value of a key, given as `binaryText`, stays decoded beside its bytes for as long as
 * these are remembered: `messages` of state-tables.ts.
 */
export function staysDecoded(keyText: string): boolean {
  const namespace = keyText.charCodeAt(0);
  return (
    namespace === namespaces.participant ||
    namespace === namespaces.meter ||
    namespace === namespaces.invitation
  );
}

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

function windowKey(namespace: number, id: string, window: number): Uint8Array {
  let length = 0;
  for (let rest = window; rest > 0; rest = Math.floor(rest / 256)) length += 1;
  const key = new Uint8Array(2 + id.length + length);
  key[0] = namespace;
  putAscii(key, id);
  let rest = window;
  for (let at = key.length - 1; rest > 0; at--) {
    key[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return key;
}

function putAscii(key: Uint8Array, id: string): void {
  for (let i = 0; i < id.length; i++) key[1 + i] = id.charCodeAt(i);
}
