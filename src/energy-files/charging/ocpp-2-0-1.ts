/**
 * Transactions of OCPP 2.0.1 (and 2.1), from TransactionEvent messages. Energy is what the import
 * register showed at the end less what it showed at the begin: the values taken for
 * Transaction.End and Transaction.Begin, else the last one in the event that ends the transaction
 * and the first one in the event that starts it.
 *
 * A station that was offline sends events later, so they come in any order; `seqNo` tells a
 * repeated event from a new one. The register counts on, so that a lost event between start and end
 * loses no energy.
 */

import { z } from "zod";
import { isLessWh, lessWh, whText } from "../exact-wh.js";
import type { ExactWh, FileItem, FileProblem, Place } from "../file-values.js";
import { checkedSession, isoOf, problem, within } from "./charging-session.js";
import { chargingTimeS } from "./charging-time.js";
import { parsed, text } from "./json-fields.js";
import { NewestMap } from "./newest-map.js";
import { inFile, isClearlyLess, type ReadingOptions, sessionNameOf } from "./ocpp-transaction.js";
import { meterValues, type Register, registersOf } from "./sampled-values.js";

const eventForm = z.object({
  eventType: z.enum(["Started", "Updated", "Ended"]),
  timestamp: text,
  seqNo: z.string().regex(/^\d{1,15}$/),
  transactionInfo: z.object({ transactionId: text }),
  meterValue: meterValues,
});

type Moment = { readonly atS: number; readonly seqNo: number; readonly place: Place };

type Transaction = {
  readonly station: string;
  readonly id: string;
  /** Of its first event in the file. */
  readonly place: Place;
  started?: Moment;
  ended?: Moment;
  begin?: ExactWh;
  end?: ExactWh;
  /** Of all values so far. */
  lowest?: ExactWh;
  highest?: ExactWh;
};

type Complete = Transaction & Required<Pick<Transaction, "started" | "ended" | "begin" | "end">>;
type Closed = { readonly startS: number; readonly endSeqNo: number; readonly line: number };

export class Ocpp201Transactions {
  readonly #options: ReadingOptions;
  /** By station and transaction id. */
  readonly #open: NewestMap<Transaction>;
  readonly #closed: NewestMap<Closed>;

  constructor(options: ReadingOptions) {
    this.#options = options;
    this.#open = new NewestMap(options.openMax);
    this.#closed = new NewestMap(options.openMax);
  }

  *event(station: string, payload: unknown, place: Place): Generator<FileItem> {
    const form = parsed(eventForm, payload, place, station);
    if (!form.ok) return yield form.problem;
    const { eventType, timestamp, transactionInfo } = form.value;
    const id = transactionInfo.transactionId;
    const time = chargingTimeS(timestamp, this.#options.zone);
    if (!time.ok) return yield problem(within(place, "timestamp"), station, time.error);
    const moment = { atS: time.value, seqNo: Number(form.value.seqNo), place };
    const key = `${station}\n${id}`;
    const closed = this.#closed.get(key);
    if (closed !== undefined) {
      if (eventType !== "Started" || moment.atS === closed.startS) {
        if (moment.seqNo > closed.endSeqNo) yield afterEnd(station, id, place, closed);
        return;
      }
      // The station begins to count its transactions anew.
      this.#closed.delete(key);
    }
    const { registers, problems } = registersOf(form.value.meterValue, "meterValue", place);
    yield* problems;
    let open = this.#open.get(key);
    const field = ({ Started: "started", Ended: "ended", Updated: undefined } as const)[eventType];
    const before = field === undefined ? undefined : open?.[field];
    if (open !== undefined && before !== undefined && before.atS !== moment.atS) {
      yield incomplete(open, `; its id is used again on line ${place.line}`);
      this.#open.delete(key);
      open = undefined;
    }
    if (open === undefined) {
      open = { station, id, place };
      const lost = this.#open.set(key, open);
      if (lost !== undefined) yield incomplete(lost, " before too many others began");
    }
    if (field !== undefined) open[field] ??= moment;
    takeRegisters(open, eventType, registers);
    if (!isComplete(open)) return;
    this.#open.delete(key);
    const { started, ended } = open;
    const line = ended.place.line;
    this.#closed.set(key, { startS: started.atS, endSeqNo: ended.seqNo, line });
    yield this.#sessionOf(open);
  }

  /** What is left when the file has ended. */
  *end(): Generator<FileItem> {
    for (const open of this.#open.values()) yield incomplete(open, inFile);
  }

  #sessionOf(transaction: Complete): FileItem {
    const { station, id, started, ended, begin, end, lowest, highest } = transaction;
    const { place } = ended;
    const wrong = (why: string) => problem(place, station, `transaction ${id} ${why}`);
    if (ended.seqNo <= started.seqNo) return wrong("ends with an event of a lower seqNo");
    const isOutside =
      (lowest !== undefined && isClearlyLess(lowest, begin)) ||
      (highest !== undefined && isClearlyLess(end, highest));
    if (isOutside) return wrong("has values of its register outside those of begin and end");
    const [startS, endS] = [started.atS, ended.atS];
    const sessionName = sessionNameOf(station, id, startS);
    const energy = lessWh(end, begin);
    const session = { place, stationName: station, sessionName, startS, endS, energy };
    return checkedSession(session, this.#options.nowMs);
  }
}

function takeRegisters(
  open: Transaction,
  eventType: "Started" | "Updated" | "Ended",
  registers: readonly Register[],
): void {
  for (const { energy } of registers) {
    if (open.lowest === undefined || isLessWh(energy, open.lowest)) open.lowest = energy;
    if (open.highest === undefined || isLessWh(open.highest, energy)) open.highest = energy;
  }
  const begin = registers.find(({ context }) => context === "begin");
  const end = registers.findLast(({ context }) => context === "end");
  if (begin !== undefined) open.begin = begin.energy;
  if (end !== undefined) open.end = end.energy;
  const [first, last] = [registers.at(0), registers.at(-1)];
  if (eventType === "Started" && first !== undefined) open.begin ??= first.energy;
  if (eventType === "Ended" && last !== undefined) open.end ??= last.energy;
}

function isComplete(transaction: Transaction): transaction is Complete {
  const { started, ended, begin, end } = transaction;
  return [started, ended, begin, end].every((part) => part !== undefined);
}

function incomplete(transaction: Transaction, when: string): FileProblem {
  const { station, id, place, started, ended, begin, highest } = transaction;
  const of = started === undefined ? "" : ` of ${isoOf(started.atS)}`;
  const so =
    begin === undefined || highest === undefined
      ? ""
      : ` (${whText(lessWh(highest, begin))} so far)`;
  const lacks =
    started === undefined
      ? "has no start"
      : ended === undefined
        ? "has not ended"
        : begin === undefined
          ? "has no value of the import register at its begin"
          : "has no value of the import register at its end";
  return problem(place, station, `transaction ${id}${of} ${lacks}${so}${when}`);
}

function afterEnd(station: string, id: string, place: Place, { line }: Closed): FileProblem {
  return problem(place, station, `transaction ${id} has ended on line ${line}; this is later`);
}
