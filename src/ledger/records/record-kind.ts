import { RecordKind as StoredKind } from "../../gen/bss/store/v1/state_pb.js";
import type { RecordKind } from "./payloads.js";

const storedKinds: { readonly [kind in RecordKind]: StoredKind } = {
  "meter-reading": StoredKind.METER_READING,
  "energy-trade": StoredKind.ENERGY_TRADE,
  "charging-session": StoredKind.CHARGING_SESSION,
  document: StoredKind.DOCUMENT,
};

/** How the state writes a kind of record. */
export function recordKindOf(kind: RecordKind): StoredKind {
  return storedKinds[kind];
}
