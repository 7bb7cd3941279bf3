/** What transactions of all versions of OCPP have in common. */
import type { TimeZone } from "../time-zone.js";
import { isoOf } from "./charging-session.js";

export type ReadingOptions = {
  readonly zone: TimeZone | undefined;
  readonly nowMs: number;
  /** How many transactions may be open at once, in all the file; more than any operator has. */
  readonly openMax: number;
};

/** Why a transaction without end stays one, and what helps. */
export const inFile = " in this file; read it together with the log that follows";

/** Ids of 1.6 begin anew with some operators' servers; with the start they are unique. */
export function sessionNameOf(station: string, id: string, startS: number): string {
  return `${station}/${id}/${isoOf(startS)}`;
}
