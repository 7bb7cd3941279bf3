/**
 * What the rules know of a record on the ledger: whose it is, its kind and place, which one updates
 * it, and what its kind keeps. There is one for each record for ever, so it is packed:
 *
 *     head ‖ owner's number ‖ height ‖ position                      head = 4 · kind + 2 · kept? + successor?
 *       ‖ (kept of a trade: buyer's number ‖ delivery start, s ‖ energy, Wh)     all of these compact.ts integers
 *       ‖ (kept of a load profile: start, s ‖ number of intervals ‖ length of the meter's id ‖ the id)
 *       ‖ (successor: 32 bytes)
 *
 * Trades and load profiles keep something, other kinds nothing.
 */
import { assert } from "../../base/assert.js";
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
  assert((trade !== undefined) === (kind === RecordKind.ENERGY_TRADE), "trades keep an effect");
  assert((profile !== undefined) === (kind === RecordKind.LOAD_PROFILE), "profiles keep a range");
  out.uint(4 * kind + (keepsSomething(kind) ? 2 : 0) + (successor === undefined ? 0 : 1));
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
  const kind = kinds.find((known) => known === Math.floor(head / 4));
  if (kind === undefined || keepsSomething(kind) !== ((head & 2) !== 0)) return undefined;
  const ownerNumber = from.uint();
  const height = from.uint();
  const position = from.uint();
  const trade = kind === RecordKind.ENERGY_TRADE ? decodeTrade(from) : undefined;
  const profile = kind === RecordKind.LOAD_PROFILE ? decodeProfile(from) : undefined;
  const successor = (head & 1) === 0 ? undefined : from.bytes(successorBytes);
  if (!from.isWhole) return undefined;
  return { kind, ownerNumber, height, position, trade, profile, successor };
}

function keepsSomething(kind: RecordKind): boolean {
  return kind === RecordKind.ENERGY_TRADE || kind === RecordKind.LOAD_PROFILE;
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
