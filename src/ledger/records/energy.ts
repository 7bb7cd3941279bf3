/**
 * The sums on which "no double spending" rests: what a participant imported, exported, sold and
 * bought in one delivery interval. All of it in bigint, and no sum above `energyWhMax`.
 */
import { create } from "@bufbuild/protobuf";
import { type EnergyState, EnergyStateSchema } from "../../gen/bss/store/v1/state_pb.js";
import type { StateReads } from "../state/state-tables.js";
import type { ReadingPayload, TradePayload } from "./payloads.js";
import type { ParsedRecord } from "./records.js";

/** Wh; invariant: soldWh ≤ exportedWh and boughtWh ≤ importedWh. */
export type EnergySums = Pick<EnergyState, "importedWh" | "exportedWh" | "soldWh" | "boughtWh">;

const noEnergy: EnergySums = Object.freeze(create(EnergyStateSchema));

/** The sums of a participant in the delivery interval that starts at `deliveryStartS`. */
export function energySums(
  state: StateReads,
  participantId: string,
  deliveryStartS: number,
): EnergySums {
  return state.energy.get(participantId, deliveryStartS) ?? noEnergy;
}

/**
 * The owner's sums with `reading` in place of the reading that stands for its interval, if one
 * does. They may break the invariant: the rules say whether that is so.
 */
export function sumsWithReading(
  state: StateReads,
  ownerId: string,
  reading: ReadingPayload,
): EnergySums {
  const sums = energySums(state, ownerId, reading.deliveryStartS);
  const before = state.readings.get(reading.meterId, reading.intervalStartS);
  return {
    ...sums,
    importedWh: sums.importedWh - (before?.importedWh ?? 0n) + reading.importedWh,
    exportedWh: sums.exportedWh - (before?.exportedWh ?? 0n) + reading.exportedWh,
  };
}

/** The seller's `soldWh` with the trade in place of the one that it updates. */
export function soldWithTrade(
  state: StateReads,
  record: ParsedRecord,
  trade: TradePayload,
): bigint {
  const { soldWh } = energySums(state, trade.sellerId, trade.deliveryStartS);
  return soldWh - replacedWh(state, record) + trade.energyWh;
}

/** The buyer's `boughtWh` with the trade in place of the one that it updates. */
export function boughtWithTrade(
  state: StateReads,
  record: ParsedRecord,
  trade: TradePayload,
): bigint {
  const { boughtWh } = energySums(state, trade.buyerId, trade.deliveryStartS);
  return boughtWh - replacedWh(state, record) + trade.energyWh;
}

function replacedWh(state: StateReads, { parent }: ParsedRecord): bigint {
  if (parent === undefined) return 0n;
  return state.records.get(parent)?.trade?.energyWh ?? 0n;
}
