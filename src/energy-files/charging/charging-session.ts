/** What every charging session has to be, whatever file it comes from. */
import { whText } from "../exact-wh.js";
import type { ExactWh, FileProblem, Place, SessionValue } from "../file-values.js";

type Session = Omit<SessionValue, "kind">;

/** Before that, there were no such messages: the clock of the station had not been set. */
const clockIsSetS = Date.UTC(2010, 0, 1) / 1000;
const sessionSMax = 366 * 86_400;

/** The session, or why it cannot be recorded. */
export function checkedSession(session: Session, nowMs: number): SessionValue | FileProblem {
  const { place, stationName, sessionName, startS, endS, energy } = session;
  const why = whyNot(session, nowMs);
  if (why !== undefined) return problem(place, stationName, `session ${sessionName} ${why}`);
  return { kind: "session", place, stationName, sessionName, startS, endS, energy };
}

/** A problem, with the name of the station where that is known. */
export function problem(
  place: Place,
  stationName: string | undefined,
  message: string,
): FileProblem {
  const named = stationName === undefined ? message : `${stationName}: ${message}`;
  return { kind: "problem", place, message: named };
}

/** A place within the element that stands at `place`. */
export function within({ line, column = "" }: Place, field: string): Place {
  const separator = column === "" || field.startsWith("[") ? "" : ".";
  return { line, column: `${column}${separator}${field}` };
}

function whyNot({ startS, endS, energy }: Session, nowMs: number): string | undefined {
  const [start, end] = [isoOf(startS), isoOf(endS)];
  if (startS < clockIsSetS) return `starts ${start}: the clock of the station was not set`;
  if (endS < startS) return `ends ${end}, before its start ${start}: a clock was changed`;
  if (endS === startS) return `ends in the second of its start, ${start}`;
  if (endS - startS > sessionSMax) return `lasts more than 366 days, from ${start} to ${end}`;
  if (endS * 1000 > nowMs) return `ends ${end}, which is still to come: a clock is wrong`;
  return whyNotEnergy(energy);
}

function whyNotEnergy(energy: ExactWh): string | undefined {
  if (energy.amount < 0n) return `has ${whText(energy)}: the register went back`;
  if (energy.amount === 0n) return "has 0 Wh: there is nothing to record";
  return undefined;
}

/** "2026-07-01T10:00:00Z"; `chargingTimeS` gives years of four digits. */
export function isoOf(unixS: number): string {
  return new Date(unixS * 1000).toISOString().replace(".000Z", "Z");
}
