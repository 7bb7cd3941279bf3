/**
 * Logs of what charging stations and their server say to each other in OCPP-J, versions 1.6 and
 * 2.0.1: messages such as `[2, id, "StartTransaction", {…}]`, one per line or in a JSON array.
 *
 * A message does not say which station it is of. A log has that before the message (`CP-7 [2,…]`),
 * or in an object around it (`{"chargePointId": "CP-7", "message": […]}`). Messages without are
 * those of one station, whose name is then "-".
 */
import { z } from "zod";
import type { FileItem, FileReader, Place } from "../file-values.js";
import { chargingItems } from "./charging-elements.js";
import { problem, within } from "./charging-session.js";
import { type JsonElement, jsonValue } from "./json-elements.js";
import { parsed, text } from "./json-fields.js";
import { Ocpp16Transactions } from "./ocpp-1-6.js";
import { Ocpp201Transactions } from "./ocpp-2-0-1.js";

/** A message of one station. */
type Frame = {
  readonly station: string;
  readonly message: readonly unknown[];
  readonly place: Place;
};

const openTransactionsMax = 100_000;

const stationKeys =
  /^(?:(?:charge_?point|charge_?box|charging_?station|charger|station|cp)(?:_?id)?|identity)$/i;
const messageKeys = /^(?:(?:ocpp_?)?message|msg|payload|frame|data|raw|body)$/i;

/** No id of a station on the ledger, so that whoever records such sessions has to give one. */
const unnamedStation = "-";

/** Whether a file that begins so holds such messages. */
export function looksLikeOcpp(beginning: string): boolean {
  // In a message that is a text within JSON, there are backslashes before the quotes.
  return /\[\s*[234]\s*,\s*\\?"[^"]{1,255}"\s*,\s*[\\"{]/.test(beginning);
}

export const readOcpp: FileReader = ocppReader(openTransactionsMax);

/** `openMax`: how many transactions may be open at once in the whole file. */
export function ocppReader(openMax: number): FileReader {
  return async function* read(chunks, { zone, nowMs }) {
    const versions = {
      v16: new Ocpp16Transactions({ zone, nowMs, openMax }),
      v201: new Ocpp201Transactions({ zone, nowMs, openMax }),
    };
    yield* chargingItems(chunks, {
      element: "OCPP message",
      take: (element) => {
        const frame = frameOf(element);
        return frame && itemsOf(frame, versions);
      },
    });
    yield* versions.v16.end();
    yield* versions.v201.end();
  };
}

const callForm = z.tuple([z.literal("2"), text, text, z.unknown()]);
const answerForm = z.tuple([z.literal("3"), text, z.unknown()]);
const refusalForm = z.tuple([z.literal("4"), text, z.string().max(255)]).rest(z.unknown());

type Versions = { readonly v16: Ocpp16Transactions; readonly v201: Ocpp201Transactions };

function itemsOf({ station, message, place }: Frame, { v16, v201 }: Versions): Iterable<FileItem> {
  switch (message[0]) {
    case "2": {
      const call = parsed(callForm, message, place, station);
      if (!call.ok) return [call.problem];
      const [, id, action, payload] = call.value;
      const at = within(place, "[3]");
      if (action === "StartTransaction") return v16.start(station, id, payload, at);
      if (action === "StopTransaction") return v16.stop(station, payload, at);
      if (action === "TransactionEvent") return v201.event(station, payload, at);
      if (action === "MeterValues") v16.meterValues(station, payload, at);
      return [];
    }
    case "3": {
      const answer = parsed(answerForm, message, place, station);
      if (!answer.ok) return [answer.problem];
      const [, id, payload] = answer.value;
      return v16.answer(station, id, payload, within(place, "[2]"));
    }
    case "4": {
      const refusal = parsed(refusalForm, message, place, station);
      if (!refusal.ok) return [refusal.problem];
      const [, id, code] = refusal.value;
      v16.refusal(station, id, code);
      return [];
    }
    // OCPP 2.1 has two more types, which are about no transactions.
    case "5":
    case "6":
      return [];
    default:
      return [problem(place, station, "the message is of no type that OCPP knows")];
  }
}

/** The message in an element, with what is said of its station; undefined where there is none. */
function frameOf({ line, path, prefix, value }: JsonElement): Frame | undefined {
  const place: Place = path === "" ? { line } : { line, column: path };
  if (isMessage(value)) {
    return { station: prefix === "" ? unnamedStation : prefix, message: value, place };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const named = entries.find(([key, name]) => stationKeys.test(key) && typeof name === "string");
  const station = named === undefined ? unnamedStation : String(named[1]);
  for (const [key, held] of entries) {
    if (!messageKeys.test(key)) continue;
    const message = typeof held === "string" ? jsonValue(held) : held;
    if (isMessage(message)) return { station, message, place: within(place, key) };
  }
  return undefined;
}

/** An array that begins with the number of a message's type. */
function isMessage(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && typeof value[0] === "string" && /^\d$/.test(value[0]);
}
