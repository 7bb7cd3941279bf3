/**
 * What the rules know of a record on the ledger: whose it is, its kind and place, which one updates
 * it, and what its kind keeps. There is one for each record for ever, so it is packed:
 *
 *     head ‖ owner's number ‖ height ‖ position                         head = 8 · kind + 4 · profile? + 2 · trade? + successor?
 *       ‖ (trade: buyer's number ‖ delivery start, s ‖ energy, Wh)      all of these compact.ts integers
 *       ‖ (profile: start, s ‖ number of intervals ‖ length of the meter's id ‖ the id)
 *       ‖ (successor: 32 bytes)
 */

import { binaryText, utf8 } from "../../base/bytes.js";
import { RecordKind } from "../../gen/bss/store/v1/state_pb.js";
import { CompactReader, type CompactWriter } from "./compact.js";

/** Where a record stands: its block, and its index in the Merkle log. */
export type RecordPlace = { readonly height: number; readonly position: number };

export type RecordState = RecordPlace & {
  readonly kind: RecordKind;
  /** `ParticipantState.number` of its owner. */
  readonly ownerNumber: number;
  /** What an update of a trade must know of it; of trades only. */
  readonly trade: TradeEffect | undefined;
  /** What an update of a load profile must know of it; of load profiles only. */
  readonly profile: ProfileRange | undefined;
  /** Hash of the record that updates this one; undefined while this is the latest version. */
  readonly successor: Uint8Array | undefined;
};

/** What a trade has added to the sums of its parties. */
export type TradeEffect = {
  /** `ParticipantState.number` of its buyer. */
  readonly buyerNumber: number;
  /** Unix s. */
  readonly deliveryStartS: number;
  readonly energyWh: number;
};

/** Which intervals of which meter a load profile is about. */
export type ProfileRange = {
  readonly meterId: string;
  /** Unix s. */
  readonly startS: number;
  readonly intervalCount: number;
};

const successorBytes = 32;

const kinds = Object.values(RecordKind).filter((kind) => kind !== RecordKind.UNSPECIFIED);

export function encodeRecordState(state: RecordState, out: CompactWriter): Uint8Array {
  const { kind, ownerNumber, height, position, trade, profile, successor } = state;
  const of = (part: unknown, bit: number) => (part === undefined ? 0 : bit);
  out.uint(8 * kind + of(profile, 4) + of(trade, 2) + of(successor, 1));
  out.uint(ownerNumber);
  out.uint(height);
  out.uint(position);
  if (trade !== undefined) {
    out.uint(trade.buyerNumber);
    out.uint(trade.deliveryStartS);
    out.uint(trade.energyWh);
  }
  if (profile !== undefined) {
    out.uint(profile.startS);
    out.uint(profile.intervalCount);
    const id = utf8(profile.meterId);
    out.uint(id.length);
    out.bytes(id);
  }
  if (successor !== undefined) out.bytes(successor);
  return out.take();
}

/** Reads what `encodeRecordState` wrote; undefined for any other bytes. */
export function decodeRecordState(bytes: Uint8Array): RecordState | undefined {
  const from = new CompactReader(bytes);
  const head = from.uint();
  const kind = kinds.find((known) => known === Math.floor(head / 8));
  if (kind === undefined) return undefined;
  const ownerNumber = from.uint();
  const height = from.uint();
  const position = from.uint();
  const trade = (head & 2) === 0 ? undefined : decodeTrade(from);
  const profile = (head & 4) === 0 ? undefined : decodeProfile(from);
  const successor = (head & 1) === 0 ? undefined : from.bytes(successorBytes);
  if (!from.isWhole) return undefined;
  return { kind, ownerNumber, height, position, trade, profile, successor };
}

function decodeTrade(from: CompactReader): TradeEffect {
  const buyerNumber = from.uint();
  const deliveryStartS = from.uint();
  return { buyerNumber, deliveryStartS, energyWh: from.uint() };
}

function decodeProfile(from: CompactReader): ProfileRange {
  const startS = from.uint();
  const intervalCount = from.uint();
  // Ids are ASCII.
  return { startS, intervalCount, meterId: binaryText(from.bytes(from.uint())) };
}
