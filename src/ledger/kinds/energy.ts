/**
 * The sums on which "no double spending" rests: what a participant imported, exported, sold and
 * bought in one delivery interval. All of it in bigint, and no sum above `energyWhMax`.
 */
import { create } from "@bufbuild/protobuf";
import { assert } from "../../base/assert.js";
import { type EnergyState, EnergyStateSchema } from "../../gen/bss/store/v1/state_pb.js";
import type { StateReads, StateTables } from "../state/state-tables.js";
import type { RuleReason } from "../violation.js";

/** Wh; invariant: soldWh ≤ exportedWh and boughtWh ≤ importedWh. */
export type EnergySums = Pick<EnergyState, "importedWh" | "exportedWh" | "soldWh" | "boughtWh">;

/** One use that a record makes of the sums of a participant in one delivery interval. */
export type EnergyUse = {
  readonly participantId: string;
  /** Start of the delivery interval, Unix s. */
  readonly deliveryStartS: number;
  /** A measurement changes what can be sold and bought; a trade draws on it. */
  readonly as: "measured" | "sold" | "bought";
};

/**
 * The most energy that one record or one sum of the state may hold, Wh: 9,000 TWh, a third of what
 * the world generates in a year. It keeps sums far from the end of a uint64.
 */
export const energyWhMax = 2n ** 53n - 1n;

const noEnergy: EnergySums = Object.freeze(create(EnergyStateSchema));

/** For each reason that a lack of energy brings about: which uses of a record lack it. */
const lackingUse: { readonly [reason in RuleReason]?: EnergyUse["as"] } = {
  DOUBLE_SPEND: "sold",
  OVER_PURCHASE: "bought",
  EXPORT_BELOW_SOLD: "measured",
  IMPORT_BELOW_BOUGHT: "measured",
};

/** Those of a record's uses for which there is too little energy; none for any other reason. */
export function usesThatLack(uses: readonly EnergyUse[], reason: RuleReason): readonly EnergyUse[] {
  return uses.filter((use) => use.as === lackingUse[reason]);
}

/** The sums of a participant in the delivery interval that starts at `deliveryStartS`. */
export function energySums(
  state: StateReads,
  participantId: string,
  deliveryStartS: number,
): EnergySums {
  return state.energy.get(participantId, deliveryStartS) ?? noEnergy;
}

export function putEnergySums(
  tables: StateTables,
  participantId: string,
  deliveryStartS: number,
  { importedWh, exportedWh, soldWh, boughtWh }: EnergySums,
): void {
  assert(soldWh >= 0n && soldWh <= exportedWh, "nobody sells what was not exported");
  assert(boughtWh >= 0n && boughtWh <= importedWh, "nobody buys what was not imported");
  const sums = create(EnergyStateSchema, { importedWh, exportedWh, soldWh, boughtWh });
  tables.energy.put([participantId, deliveryStartS], sums);
}
