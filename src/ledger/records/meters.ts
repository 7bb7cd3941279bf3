/**
 * Meters in the state. A meter's key holds its id in lower case, so that ids which differ only in
 * case are one meter; its value holds the spelling of an id that has capitals.
 */
import { create } from "@bufbuild/protobuf";
import { type MeterState, MeterStateSchema } from "../../gen/bss/store/v1/state_pb.js";
import { foldedId } from "../ids.js";

/** The state of a meter that is registered under `meterId`. */
export function meterState(
  meterId: string,
  meter: Pick<MeterState, "ownerId" | "ratedPowerW" | "intervalS" | "height">,
): MeterState {
  const { ownerId, ratedPowerW, intervalS, height } = meter;
  const spelling = meterId === foldedId(meterId) ? "" : meterId;
  return create(MeterStateSchema, { ownerId, ratedPowerW, intervalS, height, spelling });
}

/** The id as it is registered, of a meter that was found by the id in any case. */
export function registeredMeterId(id: string, { spelling }: MeterState): string {
  return spelling === "" ? foldedId(id) : spelling;
}
