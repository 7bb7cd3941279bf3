/**
 * Objections of other managers that did not hold at the place that they name: signed, so that they
 * can be shown to anybody, each without those that were signed with it. What is kept is bounded for
 * each manager, so that a flood of one cannot push out what another did; the count goes on.
 */
import { emptyBytes, toHex } from "../../base/bytes.js";
import { type ProvenObjection, ProvenObjectionSchema } from "../../gen/bss/v1/broadcast_pb.js";
import { buckets } from "../buckets.js";
import { putMessage, storedMessage } from "../chain/stored-values.js";
import { bucketKey, bucketRange, KeyReader, textPart, u64Part } from "../key-codec.js";
import type { KeyValueStore, WriteOperation } from "../key-value-store.js";

export const falseObjectionsKept = 100;

/** Of one author. */
type Kept = {
  /** Number of the last one, from 1: how many there have been. */
  count: number;
  /** Ascending by number. */
  readonly entries: { readonly number: number; readonly place: string }[];
};

export class FalseObjections {
  readonly #kv: KeyValueStore;
  readonly #byAuthor = new Map<string, Kept>();

  private constructor(kv: KeyValueStore) {
    this.#kv = kv;
  }

  static async open(kv: KeyValueStore): Promise<FalseObjections> {
    const opened = new FalseObjections(kv);
    for await (const [key, value] of kv.scan(bucketRange(buckets.falseObjection))) {
      const reader = new KeyReader(key, buckets.falseObjection);
      const kept = opened.#of(reader.text());
      const number = Number(reader.u64());
      kept.count = number;
      kept.entries.push({ number, place: placeOf(stored(value)) });
    }
    return opened;
  }

  /** Durable when it resolves; false when this author's objection at this place is kept already. */
  async add(objection: ProvenObjection): Promise<boolean> {
    const managerId = objection.signature?.managerId ?? "";
    const kept = this.#of(managerId);
    const place = placeOf(objection);
    if (kept.entries.some((entry) => entry.place === place)) return false;
    kept.count += 1;
    kept.entries.push({ number: kept.count, place });
    const dropped = kept.entries.splice(0, kept.entries.length - falseObjectionsKept);
    const batch: WriteOperation[] = dropped.map(({ number }) => ({
      type: "delete",
      key: keyOf(managerId, number),
    }));
    batch.push(putMessage(keyOf(managerId, kept.count), ProvenObjectionSchema, objection));
    await this.#kv.write(batch, "sync");
    return true;
  }

  /** How many this manager has ever kept of one author. */
  countOf(managerId: string): number {
    return this.#byAuthor.get(managerId)?.count ?? 0;
  }

  /** The last ones of an author, oldest first. */
  async of(managerId: string): Promise<readonly ProvenObjection[]> {
    const found: ProvenObjection[] = [];
    const range = bucketRange(buckets.falseObjection, textPart(managerId));
    for await (const [, value] of this.#kv.scan(range)) found.push(stored(value));
    return found;
  }

  #of(managerId: string): Kept {
    const known = this.#byAuthor.get(managerId);
    if (known !== undefined) return known;
    const kept: Kept = { count: 0, entries: [] };
    this.#byAuthor.set(managerId, kept);
    return kept;
  }
}

function keyOf(managerId: string, number: number): Uint8Array {
  return bucketKey(buckets.falseObjection, textPart(managerId), u64Part(number));
}

/** Saying it again, or with another reason, is no second offence. */
function placeOf({ objection }: ProvenObjection): string {
  return `${objection?.height}/${toHex(objection?.recordHash ?? emptyBytes)}`;
}

function stored(value: Uint8Array): ProvenObjection {
  return storedMessage(ProvenObjectionSchema, value, "a false objection");
}
