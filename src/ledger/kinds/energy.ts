/**
 * The sums on which "no double spending" rests: what a participant imported, exported, sold and
 * bought in one delivery interval. All of it in bigint, and no sum above `energyWhMax`.
 */
import { assert } from "../../base/assert.js";
import type { StateReads, StateTables } from "../state/state-tables.js";
import type { WindowSlot } from "../state/windows.js";
import type { RuleReason } from "../violation.js";

/** Wh; invariant: soldWh ≤ exportedWh and boughtWh ≤ importedWh. */
export type EnergySums = {
  readonly importedWh: bigint;
  readonly exportedWh: bigint;
  readonly soldWh: bigint;
  readonly boughtWh: bigint;
};

/** One use that a record makes of the sums of a participant in one delivery interval. */
export type EnergyUse = {
  readonly participantId: string;
  /** Start of the delivery interval, Unix s. */
  readonly deliveryStartS: number;
  /** Where the state keeps the sums. */
  readonly deliveryAt: WindowSlot;
  /** A measurement changes what can be sold and bought; a trade draws on it. */
  readonly as: "measured" | "sold" | "bought";
};

/**
 * The most energy that one record or one sum of the state may hold, Wh: 9,000 TWh, a third of what
 * the world generates in a year. Sums in the state are exact in a double.
 */
export const energyWhMax = 2n ** 53n - 1n;

const noEnergy: EnergySums = Object.freeze({
  importedWh: 0n,
  exportedWh: 0n,
  soldWh: 0n,
  boughtWh: 0n,
});

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

/** Tells the sums of different participants and delivery intervals apart. */
export function sumsNameOf({ participantId, deliveryStartS }: EnergyUse): string {
  return `${deliveryStartS}/${participantId}`;
}

/** The sums of a participant in the delivery interval that the state keeps at `deliveryAt`. */
export function energySums(
  state: StateReads,
  participantId: string,
  deliveryAt: WindowSlot,
): EnergySums {
  const sums = state.energy.get(participantId, deliveryAt);
  if (sums === undefined) return noEnergy;
  return {
    importedWh: BigInt(sums.importedWh),
    exportedWh: BigInt(sums.exportedWh),
    soldWh: BigInt(sums.soldWh),
    boughtWh: BigInt(sums.boughtWh),
  };
}

export function putEnergySums(
  tables: StateTables,
  participantId: string,
  deliveryAt: WindowSlot,
  { importedWh, exportedWh, soldWh, boughtWh }: EnergySums,
): void {
  assert(soldWh >= 0n && soldWh <= exportedWh, "nobody sells what was not exported");
  assert(boughtWh >= 0n && boughtWh <= importedWh, "nobody buys what was not imported");
  assert(exportedWh <= energyWhMax && importedWh <= energyWhMax, "sums are exact in a double");
  tables.energy.put([participantId, deliveryAt], {
    importedWh: Number(importedWh),
    exportedWh: Number(exportedWh),
    soldWh: Number(soldWh),
    boughtWh: Number(boughtWh),
  });
}
