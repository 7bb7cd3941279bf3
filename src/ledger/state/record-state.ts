/**
 * What the rules know of a record on the ledger: whose it is, its kind and place, which one updates
 * it, and what its kind keeps. There is one for each record for ever, so it is packed:
 *
 *     head ‖ owner's number ‖ height ‖ position                         head = 4 · kind + 2 · trade? + successor?
 *       ‖ (trade: buyer's number ‖ delivery start, s ‖ energy, Wh)      all of these compact.ts integers
 *       ‖ (successor: 32 bytes)
 */
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

const successorBytes = 32;

const kinds = Object.values(RecordKind).filter((kind) => kind !== RecordKind.UNSPECIFIED);

export function encodeRecordState(state: RecordState, out: CompactWriter): Uint8Array {
  const { kind, ownerNumber, height, position, trade, successor } = state;
  out.uint(4 * kind + (trade === undefined ? 0 : 2) + (successor === undefined ? 0 : 1));
  out.uint(ownerNumber);
  out.uint(height);
  out.uint(position);
  if (trade !== undefined) {
    out.uint(trade.buyerNumber);
    out.uint(trade.deliveryStartS);
    out.uint(trade.energyWh);
  }
  if (successor !== undefined) out.bytes(successor);
  return out.take();
}

/** Reads what `encodeRecordState` wrote; undefined for any other bytes. */
export function decodeRecordState(bytes: Uint8Array): RecordState | undefined {
  const from = new CompactReader(bytes);
  const head = from.uint();
  const kind = kinds.find((known) => known === Math.floor(head / 4));
  if (kind === undefined) return undefined;
  const ownerNumber = from.uint();
  const height = from.uint();
  const position = from.uint();
  const trade = (head & 2) === 0 ? undefined : decodeTrade(from);
  const successor = (head & 1) === 0 ? undefined : from.bytes(successorBytes);
  if (!from.isWhole) return undefined;
  return { kind, ownerNumber, height, position, trade, successor };
}

function decodeTrade(from: CompactReader): TradeEffect {
  const buyerNumber = from.uint();
  const deliveryStartS = from.uint();
  return { buyerNumber, deliveryStartS, energyWh: from.uint() };
}
