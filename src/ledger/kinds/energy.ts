/**
 * The sums on which "no double spending" rests: what a participant imported, exported, sold and
 * bought in one delivery interval. No sum is above `energyWhMax`, so all of them are exact in a
 * double. Two that are added may pass it; what comes out is then rounded, and above it for sure.
 */
import { assert } from "../../base/assert.js";
import type { StateReads, StateTables } from "../state/state-tables.js";
import type { StoredSums, WindowSlot } from "../state/windows.js";
import type { RuleReason } from "../violation.js";

/** Wh; invariant: soldWh ≤ exportedWh and boughtWh ≤ importedWh. */
export type EnergySums = StoredSums;

/** One use that a record makes of the sums of a participant in consecutive delivery intervals. */
export type EnergyUse = {
  readonly participantId: string;
  readonly first: DeliveryPlace;
  /** The same as `first` where it is one interval. */
  readonly last: DeliveryPlace;
  /** A measurement changes what can be sold and bought; a trade draws on it. */
  readonly as: "measured" | "sold" | "bought";
};

/** A delivery interval. */
export type DeliveryPlace = {
  /** Start, Unix s. */
  readonly deliveryStartS: number;
  /** Where the state keeps the sums. */
  readonly deliveryAt: WindowSlot;
};

/**
 * The most energy that one record or one sum of the state may hold, Wh: 9,000 TWh, a third of what
 * the world generates in a year.
 */
export const energyWhMax = Number.MAX_SAFE_INTEGER;

const dayS = 86_400;

export const noEnergy: EnergySums = Object.freeze({
  importedWh: 0,
  exportedWh: 0,
  soldWh: 0,
  boughtWh: 0,
});

/** For each reason that a lack of energy brings about: which uses of a record lack it. */
const lackingUse: { readonly [reason in RuleReason]?: EnergyUse["as"] } = {
  DOUBLE_SPEND: "sold",
  OVER_PURCHASE: "bought",
  EXPORT_BELOW_SOLD: "measured",
  IMPORT_BELOW_BOUGHT: "measured",
};

/** The use of the sums of one delivery interval. */
export function useOfDelivery(
  participantId: string,
  { deliveryStartS, deliveryAt }: DeliveryPlace,
  as: EnergyUse["as"],
): EnergyUse {
  const place = { deliveryStartS, deliveryAt };
  return { participantId, first: place, last: place, as };
}

/** Those of a record's uses for which there is too little energy; none for any other reason. */
export function usesThatLack(uses: readonly EnergyUse[], reason: RuleReason): readonly EnergyUse[] {
  return uses.filter((use) => use.as === lackingUse[reason]);
}

/**
 * Names by which uses of the same sums find each other: one that is filed under `filed` meets all
 * whose `met` has one of these. Those of single delivery intervals meet if they are of the same
 * one. One of several, which may be thousands, meets every use of the participant on the same days:
 * so it has few names, and now and then meets more than it overlaps.
 */
export function namesOf(use: EnergyUse): {
  readonly filed: readonly string[];
  readonly met: readonly string[];
} {
  const { participantId, first, last } = use;
  const { first: firstDay, last: lastDay } = deliveryDaysOf(use);
  if (first.deliveryStartS === last.deliveryStartS) {
    const exact = `${first.deliveryStartS}/${participantId}`;
    return {
      filed: [exact, `one of day ${firstDay}/${participantId}`],
      met: [exact, `several of day ${firstDay}/${participantId}`],
    };
  }
  const filed: string[] = [];
  const met: string[] = [];
  for (let day = firstDay; day <= lastDay; day++) {
    filed.push(`several of day ${day}/${participantId}`);
    met.push(`one of day ${day}/${participantId}`, `several of day ${day}/${participantId}`);
  }
  return { filed, met };
}

/** The days on which its delivery intervals begin, counted from 1970 in UTC. */
export function deliveryDaysOf({ first, last }: EnergyUse): {
  readonly first: number;
  readonly last: number;
} {
  const dayOf = ({ deliveryStartS }: DeliveryPlace) => Math.floor(deliveryStartS / dayS);
  return { first: dayOf(first), last: dayOf(last) };
}

/** The sums of a participant in the delivery interval that the state keeps at `deliveryAt`. */
export function energySums(
  state: StateReads,
  participantId: string,
  deliveryAt: WindowSlot,
): EnergySums {
  return state.energy.get(participantId, deliveryAt) ?? noEnergy;
}

export function putEnergySums(
  tables: StateTables,
  participantId: string,
  deliveryAt: WindowSlot,
  sums: EnergySums,
): void {
  assertCovered(sums);
  tables.energy.put([participantId, deliveryAt], sums);
}

/** The invariant of sums, on which all rests: whoever writes some asks for it. */
export function assertCovered({ importedWh, exportedWh, soldWh, boughtWh }: EnergySums): void {
  assert(soldWh >= 0 && soldWh <= exportedWh, "nobody sells what was not exported");
  assert(boughtWh >= 0 && boughtWh <= importedWh, "nobody buys what was not imported");
  assert(exportedWh <= energyWhMax && importedWh <= energyWhMax, "sums are exact in a double");
}
