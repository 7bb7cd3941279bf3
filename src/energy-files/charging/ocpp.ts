/**
 * Logs of what charging stations and their server say to each other in OCPP-J, versions 1.6 and
 * 2.0.1: messages such as `[2, id, "StartTransaction", {…}]`, one per line or in a JSON array.
 *
 * A message does not say which station it is of. A log has that before the message (`CP-7 [2,…]`),
 * or in an object around it (`{"chargePointId": "CP-7", "message": […]}`); or all the file is of
 * one station, and the caller names it.
 */
import { z } from "zod";
import { type FileItem, type FileReader, FileUnreadable, type Place } from "../file-values.js";
import { chargingItems } from "./charging-elements.js";
import { problem, within } from "./charging-session.js";
import { type JsonElement, jsonValue } from "./json-elements.js";
import { parsed, text } from "./json-fields.js";
import { Ocpp16Transactions } from "./ocpp-1-6.js";
import { Ocpp201Transactions } from "./ocpp-2-0-1.js";

/** A message of one station. */
type Frame = {
  readonly station: string | undefined;
  readonly message: readonly unknown[];
  readonly place: Place;
};

const openTransactionsMax = 100_000;

const stationKeys =
  /^(?:(?:charge_?point|charge_?box|charging_?station|charger|station|cp)(?:_?id)?|identity)$/i;
const messageKeys = /^(?:(?:ocpp_?)?message|msg|payload|frame|data|raw|body)$/i;

export type OcppSettings = {
  /** The station of messages that do not come with one. */
  readonly station?: string | undefined;
  readonly openMax?: number;
};

export function ocppReader(settings: OcppSettings = {}): FileReader {
  return async function* read(chunks, { zone, nowMs }) {
    const openMax = settings.openMax ?? openTransactionsMax;
    const versions = {
      v16: new Ocpp16Transactions({ zone, nowMs, openMax }),
      v201: new Ocpp201Transactions({ zone, nowMs, openMax }),
    };
    yield* chargingItems(chunks, {
      element: "OCPP message",
      take: (element) => {
        const frame = frameOf(element);
        return frame && itemsOf(frame, frame.station ?? settings.station, versions);
      },
    });
    yield* versions.v16.end();
    yield* versions.v201.end();
  };
}

export const readOcpp: FileReader = ocppReader();

const callForm = z.tuple([z.literal("2"), text, text, z.unknown()]);
const answerForm = z.tuple([z.literal("3"), text, z.unknown()]);
const refusalForm = z.tuple([z.literal("4"), text, z.string().max(255)]).rest(z.unknown());

type Versions = { readonly v16: Ocpp16Transactions; readonly v201: Ocpp201Transactions };

function itemsOf(
  { message, place }: Frame,
  station: string | undefined,
  { v16, v201 }: Versions,
): Iterable<FileItem> {
  if (station === undefined) {
    throw new FileUnreadable(
      `the message on line ${place.line} does not say which charging station it is of`,
      "give the id of the station for the whole file",
    );
  }
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
    return { station: prefix === "" ? undefined : prefix, message: value, place };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const station = entries.find(([key, name]) => stationKeys.test(key) && typeof name === "string");
  for (const [key, held] of entries) {
    if (!messageKeys.test(key)) continue;
    const message = typeof held === "string" ? jsonValue(held) : held;
    const name = station?.[1] as string | undefined;
    if (isMessage(message)) return { station: name, message, place: within(place, key) };
  }
  return undefined;
}

/** An array that begins with the number of a message's type. */
function isMessage(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && typeof value[0] === "string" && /^\d$/.test(value[0]);
}
