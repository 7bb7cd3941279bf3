/** What transactions of all versions of OCPP have in common. */
import { isLessWh, lessWh } from "../exact-wh.js";
import type { ExactWh } from "../file-values.js";
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

/** Registers are shown in kWh with one decimal at least, and so differ by less than that. */
const shownWh: ExactWh = { amount: 100n, perWh: 1n };

/** Whether `a` is less than `b` by more than comes of how registers are shown. */
export function isClearlyLess(a: ExactWh, b: ExactWh): boolean {
  return isLessWh(shownWh, lessWh(b, a));
}

/** Ids of 1.6 begin anew with some operators' servers; with the start they are unique. */
export function sessionNameOf(station: string, id: string, startS: number): string {
  return `${station}/${id}/${isoOf(startS)}`;
}
