/**
 * Reads of the state, through what was read and written lately. A manager looks at a submission's
 * keys when it screens it, and soon after, when it makes a block of it or judges one: by then they
 * are all here, those that have no value included, and nothing is asked of the disk.
 *
 * All that one read gives is of one moment. While a block is being written, what is remembered may
 * be older than what the disk says, so such reads take everything from the disk.
 */
import { binaryText } from "../../base/bytes.js";
import type { StateWrite } from "../../ledger/state/state.js";
import {
  IntervalRecordKey,
  type IntervalsTaken,
  intervalsTaken,
} from "../../ledger/state/state-key-list.js";
import { rememberedAfterWrite, staysDecoded } from "../../ledger/state/state-keys.js";
import { buckets } from "../buckets.js";
import { bucketKey } from "../key-codec.js";
import type { KeyValueStore } from "../key-value-store.js";
import { getAll } from "./stored-values.js";

/** By `binaryText` of the key; undefined for one that has no value. */
type Values = Map<string, Uint8Array | undefined>;

/** What is remembered takes at most this much memory, as `weightOf` counts it. */
export const recentStateBytesMax = 16 * 2 ** 20;

export class RecentState {
  readonly #kv: Pick<KeyValueStore, "getMany">;
  readonly #generationBytesMax: number;
  /** Used since the last one became old. */
  #young: Values = new Map();
  #youngBytes = 0;
  /** Forgotten when the young ones become old. */
  #old: Values = new Map();
  #isWriting = false;
  /** Blocks that were written. */
  #version = 0;

  constructor(kv: Pick<KeyValueStore, "getMany">, bytesMax = recentStateBytesMax) {
    this.#kv = kv;
    this.#generationBytesMax = bytesMax / 2;
  }

  /** The values of these keys, with repeats or without: all of one moment. */
  async read(keys: readonly Uint8Array[]): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
    if (this.#isWriting) return this.#readDisk(keys);
    const version = this.#version;
    const values: Values = new Map();
    const others = keys.filter((key) => !(key instanceof IntervalRecordKey));
    await this.#readMissing(this.#recallAll(others, values), values);
    const records = keys.filter((key) => key instanceof IntervalRecordKey);
    if (records.length > 0) {
      await this.#readMissing(this.#recallAll(notAbsent(records, values), values), values);
    }
    return this.#isWriting || version !== this.#version ? this.#readDisk(keys) : values;
  }

  /** Puts what is remembered into `values`; returns the other keys. */
  #recallAll(keys: readonly Uint8Array[], values: Values): readonly Uint8Array[] {
    const missing: Uint8Array[] = [];
    for (const key of keys) {
      const text = binaryText(key);
      if (values.has(text)) continue;
      const value = this.#recall(text);
      values.set(text, value ?? undefined);
      if (value === undefined) missing.push(key);
    }
    return missing;
  }

  async #readMissing(missing: readonly Uint8Array[], values: Values): Promise<void> {
    if (missing.length === 0) return;
    const version = this.#version;
    const found = await getAll(this.#kv, missing.map(stateKey));
    // Whoever asked takes it from the disk again.
    if (this.#isWriting || version !== this.#version) return;
    for (const [i, key] of missing.entries()) {
      const value = found[i];
      // What the disk answers is part of one large answer, which would stay as long as its parts.
      const own = value && Uint8Array.prototype.slice.call(value);
      const text = binaryText(key);
      values.set(text, own);
      this.#remember(text, own);
    }
  }

  /** A block is about to be written. If that fails, all is read from the disk from then on. */
  startWriting(): void {
    this.#isWriting = true;
  }

  /** It is written. */
  endWriting(writes: readonly StateWrite[]): void {
    for (const { key, value } of writes) {
      const text = binaryText(key);
      if (rememberedAfterWrite(key)) this.#remember(text, value);
      else this.#forget(text);
    }
    this.#version += 1;
    this.#isWriting = false;
  }

  async #readDisk(keys: readonly Uint8Array[]): Promise<Values> {
    const distinct = new Map(keys.map((key) => [binaryText(key), key]));
    const found = await getAll(this.#kv, [...distinct.values()].map(stateKey));
    return new Map([...distinct.keys()].map((text, i) => [text, found[i]]));
  }

  /** Null for a key that has no value; undefined for one that is not remembered. */
  #recall(text: string): Uint8Array | null | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    if (this.#young.has(text)) return null;
    if (!this.#old.has(text)) return undefined;
    const old = this.#old.get(text);
    this.#remember(text, old);
    return old ?? null;
  }

  #remember(text: string, value: Uint8Array | undefined): void {
    // What is put in place of another value counts again: the sum is a bound.
    this.#youngBytes += weightOf(text, value);
    this.#young.set(text, value);
    if (this.#youngBytes < this.#generationBytesMax) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
  }

  #forget(text: string): void {
    this.#young.delete(text);
    this.#old.delete(text);
  }
}

/**
 * Those of the keys that may have a value, by the windows that were read. The others get none, and
 * are not remembered: the next read sees it as easily.
 */
function notAbsent(keys: readonly IntervalRecordKey[], values: Values): IntervalRecordKey[] {
  const windows = new Map<Uint8Array, IntervalsTaken | undefined>();
  return keys.filter((key) => {
    const { windowKey } = key;
    let taken = windows.get(windowKey);
    if (taken === undefined) {
      const text = binaryText(windowKey);
      taken = values.has(text) ? intervalsTaken(values.get(text)) : undefined;
      windows.set(windowKey, taken);
    }
    if (taken === undefined || !key.isAbsentIn(taken)) return true;
    values.set(binaryText(key), undefined);
    return false;
  });
}

/** Where the store has what the ledger calls by this key. */
export function stateKey(key: Uint8Array): Uint8Array {
  return bucketKey(buckets.state, key);
}

/** An entry whose value stays decoded takes 1.4 to 3 times as much, as measured. */
const decodedFactor = 3;

/**
 * What one entry takes in memory, roughly: its place in the map, objects, the bytes, and what they
 * say.
 */
function weightOf(text: string, value: Uint8Array | undefined): number {
  const placeBytes = 80 + text.length;
  if (value === undefined) return placeBytes;
  const bytes = placeBytes + 120 + value.length;
  return staysDecoded(text) ? decodedFactor * bytes : bytes;
}
