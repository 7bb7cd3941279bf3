/**
 * What a manager keeps of others' offences: evidence that is not on the chain yet, a proof that the
 * chain forks, and objections that did not hold.
 */
import { emptyBytes, toHex, utf8 } from "../base/bytes.js";
import { type ProvenObjection, ProvenObjectionSchema } from "../gen/bss/v1/broadcast_pb.js";
import { type Evidence, EvidenceSchema } from "../gen/bss/v1/genesis_pb.js";
import { type ForkProof, ForkProofSchema } from "../gen/bss/v1/vote_pb.js";
import { buckets } from "./buckets.js";
import { putMessage, storedMessage } from "./chain/stored-values.js";
import { bucketKey, bucketRange, KeyReader, textPart, u64Part } from "./key-codec.js";
import type { KeyValueStore, WriteOperation } from "./key-value-store.js";

const forkProofKey = bucketKey(buckets.meta, utf8("fork-proof"));

export class OffenceLog {
  readonly #kv: KeyValueStore;

  constructor(kv: KeyValueStore) {
    this.#kv = kv;
  }

  /** Keeps one piece for each manager, as the chain takes no more. Durable when it resolves. */
  saveEvidence(evidence: Evidence): Promise<void> {
    const key = evidenceKey(evidence.managerId);
    return this.#kv.write([putMessage(key, EvidenceSchema, evidence)], "sync");
  }

  /** For evidence that is on the chain. If a crash undoes this, the chain takes it only once. */
  deleteEvidence(managerId: string): Promise<void> {
    return this.#kv.write([{ type: "delete", key: evidenceKey(managerId) }], "buffered");
  }

  async loadEvidence(): Promise<readonly Evidence[]> {
    const found: Evidence[] = [];
    for await (const [, value] of this.#kv.scan(bucketRange(buckets.evidence))) {
      found.push(storedMessage(EvidenceSchema, value, "evidence"));
    }
    return found;
  }

  /** Keeps the first proof only: the manager stops after it. Durable when it resolves. */
  async saveForkProof(proof: ForkProof): Promise<void> {
    if ((await this.forkProof()) !== undefined) return;
    await this.#kv.write([putMessage(forkProofKey, ForkProofSchema, proof)], "sync");
  }

  async forkProof(): Promise<ForkProof | undefined> {
    const bytes = await this.#kv.get(forkProofKey);
    return bytes && storedMessage(ForkProofSchema, bytes, "the proof of a fork");
  }
}

function evidenceKey(managerId: string): Uint8Array {
  return bucketKey(buckets.evidence, utf8(managerId));
}

export const falseObjectionsKept = 100;

/** What is kept of one author. */
type Kept = {
  /** How many there have been: the number of the last one, counted from 1. */
  count: number;
  /** Ascending by number. */
  readonly entries: { readonly number: number; readonly place: string }[];
};

/**
 * Objections of other managers that did not hold at the place that they name. Each is signed and
 * kept by itself, so that it can be shown to anybody. Their number is bounded for each manager, so
 * that one manager's flood cannot push out what another did; the count goes on.
 */
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

/** To repeat an objection, or give another reason for it, is no second offence. */
function placeOf({ objection }: ProvenObjection): string {
  return `${objection?.height}/${toHex(objection?.recordHash ?? emptyBytes)}`;
}

function stored(value: Uint8Array): ProvenObjection {
  return storedMessage(ProvenObjectionSchema, value, "a false objection");
}
