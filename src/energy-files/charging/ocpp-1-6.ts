/**
 * Transactions of OCPP 1.6, from StartTransaction, the transaction id in its answer, and
 * StopTransaction. Energy is meterStop less meterStart, which are whole Wh of the station's
 * register; where StopTransaction has the register's values at begin and end as well, they must
 * agree.
 *
 * Stations repeat a message until it is answered, under the same message id or another one. What
 * says the same is taken once.
 */

import { z } from "zod";
import { decimalEnergy } from "../exact-number.js";
import { lessWh, whText } from "../exact-wh.js";
import type { ExactWh, FileItem, FileProblem, Place } from "../file-values.js";
import { checkedSession, isoOf, problem, within } from "./charging-session.js";
import { chargingTimeS } from "./charging-time.js";
import { parsed, text } from "./json-fields.js";
import { NewestMap } from "./newest-map.js";
import { inFile, isClearlyLess, type ReadingOptions, sessionNameOf } from "./ocpp-transaction.js";
import { meterValues, type Register, registersOf } from "./sampled-values.js";

const startForm = z.object({ connectorId: text, meterStart: text, timestamp: text });
const answerForm = z.object({ transactionId: text });
const stopForm = z.object({
  transactionId: text,
  meterStop: text,
  timestamp: text,
  transactionData: meterValues,
});
const meterValuesForm = z.object({ transactionId: text, meterValue: meterValues });

type Start = {
  readonly station: string;
  readonly place: Place;
  readonly connectorId: string;
  readonly startS: number;
  readonly meterStart: ExactWh;
  /** What a repetition of it says as well. */
  readonly key: string;
  /** The answer was an error. */
  refusal?: string;
};

type Open = { readonly start: Start; readonly id: string; latest?: ExactWh };
type Closed = { readonly startKey: string; readonly stopKey: string; readonly line: number };

export class Ocpp16Transactions {
  readonly #options: ReadingOptions;
  /** Not answered yet; by what they say. */
  readonly #starts: NewestMap<Start>;
  /** Of those, the keys; by the station and the id of the message. */
  readonly #startKeys: NewestMap<string>;
  /** By station and transaction id. */
  readonly #open: NewestMap<Open>;
  readonly #closed: NewestMap<Closed>;
  /** The transaction that a start began; by what the start says. */
  readonly #begun: NewestMap<string>;

  constructor(options: ReadingOptions) {
    const { openMax } = options;
    this.#options = options;
    this.#starts = new NewestMap(openMax);
    this.#startKeys = new NewestMap(openMax);
    this.#open = new NewestMap(openMax);
    this.#closed = new NewestMap(openMax);
    this.#begun = new NewestMap(2 * openMax);
  }

  *start(station: string, messageId: string, payload: unknown, place: Place): Generator<FileItem> {
    const form = parsed(startForm, payload, place, station);
    if (!form.ok) return yield form.problem;
    const { connectorId, meterStart: meterText, timestamp } = form.value;
    const start = chargingTimeS(timestamp, this.#options.zone);
    if (!start.ok) return yield problem(within(place, "timestamp"), station, start.error);
    const meterStart = decimalEnergy(meterText, 0);
    if (meterStart === undefined) return yield noEnergy("meterStart", meterText, station, place);
    const key = [station, connectorId, timestamp, meterText].join("\n");
    this.#startKeys.set(`${station}\n${messageId}`, key);
    if (this.#starts.has(key)) return;
    const startS = start.value;
    const lost = this.#starts.set(key, { station, place, connectorId, startS, meterStart, key });
    if (lost !== undefined) yield* this.#unanswered(lost);
  }

  /** An answer to any message; what is no answer to a StartTransaction is nothing to it. */
  *answer(station: string, messageId: string, payload: unknown, place: Place): Generator<FileItem> {
    const messageKey = `${station}\n${messageId}`;
    const startKey = this.#startKeys.get(messageKey);
    // The other side numbers its messages too, and may have used the same number.
    const form = answerForm.safeParse(payload);
    if (startKey === undefined || !form.success) return;
    this.#startKeys.delete(messageKey);
    const start = this.#starts.get(startKey);
    if (start === undefined) return;
    this.#starts.delete(startKey);
    const id = form.data.transactionId;
    const key = `${station}\n${id}`;
    const before = this.#begun.get(startKey);
    // A repeated start begins nothing new: its transaction has ended, or now has this id.
    if (before !== undefined && !this.#open.has(before)) return;
    if (before !== undefined) this.#open.delete(before);
    const other = this.#open.get(key);
    if (other !== undefined) {
      this.#open.delete(key);
      yield notEnded(other, `; its id begins another transaction on line ${place.line}`);
    }
    this.#begun.set(startKey, key);
    const lost = this.#open.set(key, { start, id });
    if (lost !== undefined) yield notEnded(lost, " before too many others began");
  }

  refusal(station: string, messageId: string, code: string): void {
    const start = this.#starts.get(this.#startKeys.get(`${station}\n${messageId}`) ?? "");
    if (start !== undefined) start.refusal = code;
  }

  /** Only tells how far a transaction came that has no end. */
  meterValues(station: string, payload: unknown, place: Place): void {
    const form = meterValuesForm.safeParse(payload);
    if (!form.success) return;
    const open = this.#open.get(`${station}\n${form.data.transactionId}`);
    const latest = registersOf(form.data.meterValue, "meterValue", place).registers.at(-1);
    if (open !== undefined && latest !== undefined) open.latest = latest.energy;
  }

  *stop(station: string, payload: unknown, place: Place): Generator<FileItem> {
    const form = parsed(stopForm, payload, place, station);
    if (!form.ok) return yield form.problem;
    const { transactionId: id, meterStop: meterText, timestamp, transactionData } = form.value;
    const key = `${station}\n${id}`;
    const stopKey = `${meterText}\n${timestamp}`;
    const open = this.#open.get(key);
    if (open === undefined) {
      const closed = this.#closed.get(key);
      if (closed?.stopKey === stopKey) return;
      const why =
        closed === undefined
          ? "has no StartTransaction with an answer in the file"
          : `has ended already, with other values, on line ${closed.line}`;
      return yield problem(place, station, `transaction ${id} ${why}`);
    }
    const end = chargingTimeS(timestamp, this.#options.zone);
    if (!end.ok) return yield problem(within(place, "timestamp"), station, end.error);
    const meterStop = decimalEnergy(meterText, 0);
    if (meterStop === undefined) return yield noEnergy("meterStop", meterText, station, place);
    const { start } = open;
    this.#open.delete(key);
    this.#closed.set(key, { startKey: start.key, stopKey, line: place.line });
    const { registers, problems } = registersOf(transactionData, "transactionData", place);
    yield* problems;
    const energy = lessWh(meterStop, start.meterStart);
    const why = contradiction(energy, registers);
    if (why !== undefined) return yield problem(place, station, `transaction ${id} ${why}`);
    const { startS } = start;
    yield checkedSession(
      {
        place,
        stationName: station,
        sessionName: sessionNameOf(station, id, startS),
        startS,
        endS: end.value,
        energy,
      },
      this.#options.nowMs,
    );
  }

  /** What is left when the file has ended. */
  *end(): Generator<FileItem> {
    for (const open of this.#open.values()) yield notEnded(open, inFile);
    for (const start of this.#starts.values()) yield* this.#unanswered(start);
  }

  *#unanswered(start: Start): Generator<FileItem> {
    // A repetition after the answer was lost on its way to the station.
    if (this.#begun.has(start.key)) return;
    const { station, place, connectorId, refusal } = start;
    const what = `the start at connector ${connectorId}, ${isoOf(start.startS)},`;
    const why =
      refusal === undefined ? "has no answer with a transaction id" : `was refused (${refusal})`;
    yield problem(place, station, `${what} ${why}`);
  }
}

function notEnded({ start, id, latest }: Open, why: string): FileProblem {
  const { station, place, startS, meterStart } = start;
  const so = latest === undefined ? "" : ` (${whText(lessWh(latest, meterStart))} so far)`;
  const what = `transaction ${id} of ${isoOf(startS)} has not ended${so}${why}`;
  return problem(place, station, what);
}

/** What `registers` say of the energy, where they differ from it. */
function contradiction(energy: ExactWh, registers: readonly Register[]): string | undefined {
  const begin = registers.find(({ context }) => context === "begin");
  const end = registers.findLast(({ context }) => context === "end");
  if (begin === undefined || end === undefined) return undefined;
  const sampled = lessWh(end.energy, begin.energy);
  if (!isClearlyLess(energy, sampled) && !isClearlyLess(sampled, energy)) return undefined;
  const two = `${whText(energy)} by meterStop, ${whText(sampled)} by transactionData`;
  return `contradicts itself: ${two}`;
}

function noEnergy(field: string, value: string, station: string, place: Place): FileProblem {
  const shown = JSON.stringify(value.slice(0, 40));
  return problem(within(place, field), station, `${field} ${shown} is no number of Wh`);
}
