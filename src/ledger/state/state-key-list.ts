/**
 * The keys that records touch, collected one record after another. Those of one submission mostly
 * have an owner, a meter and windows in common, so a key like the one before it is left out; other
 * repeats are in the list.
 */
import { emptyBytes } from "../../base/bytes.js";
import { stateKeys } from "./state-keys.js";
import { decodeReadings, type WindowSlot } from "./windows.js";

/**
 * The key of a record that stands for an interval of its meter for as long as it is on the ledger,
 * it or a version of it: a meter reading. While the interval is free, there is no such record, so
 * nobody needs to look for it. Of most records that come this spares the one read for which a disk
 * has to be asked.
 */
export class IntervalRecordKey extends Uint8Array {
  /** Key of the readings of the meter, in the same list. */
  readonly windowKey: Uint8Array;
  readonly #slot: number;

  constructor(recordKey: Uint8Array, windowKey: Uint8Array, slot: number) {
    super(recordKey.length);
    this.set(recordKey);
    this.windowKey = windowKey;
    this.#slot = slot;
  }

  // What is cut from it is a plain array.
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  /** Whether the record is surely not on the ledger, by what stands under `windowKey`. */
  isAbsentIn(window: IntervalsTaken): boolean {
    return !window.has(this.#slot);
  }
}

/** The slots of a window of readings that have a value. */
export type IntervalsTaken = ReadonlySet<number>;

/** `window`: the value under the key of a window; undefined for bytes that are none. */
export function intervalsTaken(window: Uint8Array | undefined): IntervalsTaken | undefined {
  const values = window === undefined ? [] : decodeReadings(window);
  if (values === undefined) return undefined;
  return new Set([...values.keys()].filter((slot) => values[slot] !== undefined));
}

export class StateKeyList {
  readonly keys: Uint8Array[] = [];
  #readingsKey: Uint8Array = emptyBytes;
  #participantId = "";
  #meterId = "";
  #readings: Last = { id: "", window: 0 };
  #energy: Last = { id: "", window: 0 };

  participant(id: string): void {
    if (id === this.#participantId) return;
    this.#participantId = id;
    this.keys.push(stateKeys.participant(id));
  }

  meter(id: string): void {
    if (id === this.#meterId) return;
    this.#meterId = id;
    this.keys.push(stateKeys.meter(id));
  }

  record(hash: Uint8Array): void {
    this.keys.push(stateKeys.record(hash));
  }

  readings(id: string, window: number): void {
    if (id === this.#readings.id && window === this.#readings.window) return;
    this.#readings = { id, window };
    this.#readingsKey = stateKeys.readings(id, window);
    this.keys.push(this.#readingsKey);
  }

  /** A record that stands for an interval, and the window in which it does. */
  intervalRecord(hash: Uint8Array, meterId: string, { window, slot }: WindowSlot): void {
    this.readings(meterId, window);
    this.keys.push(new IntervalRecordKey(stateKeys.record(hash), this.#readingsKey, slot));
  }

  energy(id: string, window: number): void {
    if (id === this.#energy.id && window === this.#energy.window) return;
    this.#energy = { id, window };
    this.keys.push(stateKeys.energy(id, window));
  }

  trade(tradeId: Uint8Array): void {
    this.keys.push(stateKeys.trade(tradeId));
  }
}

/** No id is empty. */
type Last = { readonly id: string; readonly window: number };
