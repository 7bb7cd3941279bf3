/**
 * Charge detail records (CDRs) of the Open Charge Point Interface, versions 2.1.1, 2.2.1 and 2.3:
 * an array of them, the answer of a server that has them in `data`, or one per line.
 *
 * A CDR becomes one session of its EVSE. Times are UTC, also without "Z". A credit CDR takes
 * another CDR back and is no session; it is a problem to be settled by hand, since the one that it
 * takes back may be on the ledger already.
 */

import { z } from "zod";
import { decimalEnergy } from "../exact-number.js";
import { whText } from "../exact-wh.js";
import type { FileItem, FileReader, Place, SessionValue } from "../file-values.js";
import { timeZoneOf } from "../time-zone.js";
import { chargingItems } from "./charging-elements.js";
import { checkedSession, problem, within } from "./charging-session.js";
import { chargingTimeS } from "./charging-time.js";
import type { JsonElement } from "./json-elements.js";
import { optionalText, parsed, text } from "./json-fields.js";
import { NewestMap } from "./newest-map.js";

const evse = z.object({ uid: optionalText, evse_id: optionalText });

const cdrForm = z.object({
  id: text,
  country_code: optionalText,
  party_id: optionalText,
  start_date_time: text,
  end_date_time: optionalText,
  /** Its name in 2.1.1. */
  stop_date_time: optionalText,
  total_energy: text,
  cdr_location: z.object({ evse_uid: optionalText, evse_id: optionalText }).nullish(),
  /** In 2.1.1, the whole location, of which one EVSE is left. */
  location: z.object({ evses: z.array(evse).nullish() }).nullish(),
  credit: z.boolean().nullish(),
  credit_reference_id: optionalText,
});

type Cdr = z.infer<typeof cdrForm>;

/** Of which the reader still knows what they said. */
const cdrsKnownMax = 100_000;
const kWh = 3;

/** What a reader remembers of a CDR, to tell a repetition from a contradiction. */
type Known = { readonly line: number; readonly says: string };

/** Whether a file that begins so holds such records. */
export function looksLikeOcpi(beginning: string): boolean {
  const isJson = /^\uFEFF?\s*[[{]/.test(beginning);
  return isJson && /"(?:start_date_time|total_energy|cdr_location)"\s*:/.test(beginning);
}

export const readOcpi: FileReader = (chunks, { nowMs }) => {
  const known = new NewestMap<Known>(cdrsKnownMax);
  return chargingItems(chunks, {
    element: "OCPI charge detail record (CDR)",
    take: (element) => {
      const value = cdrIn(element.value);
      return value === undefined ? undefined : [itemOf(value, placeOf(element), known, nowMs)];
    },
  });
};

/** A CDR by its looks, also as the `data` of an answer. */
function cdrIn(value: unknown): object | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if ("total_energy" in value || "start_date_time" in value) return value;
  return "data" in value ? cdrIn(value.data) : undefined;
}

function placeOf({ line, path }: JsonElement): Place {
  return path === "" ? { line } : { line, column: path };
}

function itemOf(value: object, place: Place, known: NewestMap<Known>, nowMs: number): FileItem {
  const form = parsed(cdrForm, value, place, undefined);
  if (!form.ok) return form.problem;
  const cdr = form.value;
  const session = sessionOf(cdr, place);
  if (session.kind === "problem") return session;
  const { stationName, sessionName, startS, endS, energy } = session;
  const says = [stationName, startS, endS, whText(energy)].join(" ");
  const before = known.get(sessionName);
  if (before !== undefined) {
    const what = before.says === says ? "is there already" : "is there already with other values";
    return problem(place, stationName, `CDR ${sessionName} ${what}, on line ${before.line}`);
  }
  known.set(sessionName, { line: place.line, says });
  return checkedSession(session, nowMs);
}

function sessionOf(cdr: Cdr, place: Place): SessionValue | Extract<FileItem, { kind: "problem" }> {
  const { id, country_code: country, party_id: party } = cdr;
  // Ids are the operator's own. 2.1.1 does not say whose they are.
  const sessionName = country && party ? `${country}*${party}/${id}` : id;
  const stationName = stationOf(cdr);
  const at = (field: string, message: string) =>
    problem(within(place, field), stationName, `CDR ${sessionName}: ${message}`);
  const energy = decimalEnergy(cdr.total_energy, kWh);
  if (energy === undefined) {
    const shown = JSON.stringify(cdr.total_energy.slice(0, 40));
    return at("total_energy", `total_energy ${shown} is no amount of kWh`);
  }
  if (cdr.credit === true || energy.amount < 0n) {
    const other = cdr.credit_reference_id ? `CDR ${cdr.credit_reference_id}` : "another CDR";
    return at("credit", `it takes back ${other}; what was recorded of that is yours to correct`);
  }
  if (stationName === undefined) {
    const field = cdr.location ? "location.evses" : "cdr_location.evse_id";
    return at(field, "it does not name the one EVSE that it is about");
  }
  const start = chargingTimeS(cdr.start_date_time, utc);
  if (!start.ok) return at("start_date_time", start.error);
  const endField = cdr.end_date_time || !cdr.stop_date_time ? "end_date_time" : "stop_date_time";
  const endText = cdr[endField];
  if (!endText) return at(endField, "it has no end");
  const end = chargingTimeS(endText, utc);
  if (!end.ok) return at(endField, end.error);
  const [startS, endS] = [start.value, end.value];
  return { kind: "session", place, stationName, sessionName, startS, endS, energy };
}

const utc = timeZoneOf("UTC");

/** The EVSE's public id, else the operator's own for it. */
function stationOf({ cdr_location, location }: Cdr): string | undefined {
  const [first, second] = location?.evses ?? [];
  const names = cdr_location
    ? [cdr_location.evse_id, cdr_location.evse_uid]
    : second === undefined
      ? [first?.evse_id, first?.uid]
      : [];
  // "#NA" is written where a reservation was never used.
  return names.find((name) => name && name !== "#NA") ?? undefined;
}
