/**
 * The highest that a storage node's key has attested, in a store of its own, which lies beside the
 * key and not in the data directory: no loss, repair or rollback of the one takes back the other.
 * With it stands what stopped the node for good, for the same reason.
 *
 * The attestations themselves are in the data directory (attestation-log.ts). Where that may have
 * lost some, the mark says from where on nothing was ever said.
 */
import { concatBytes, equalBytes, utf8 } from "../../base/bytes.js";
import { buckets } from "../buckets.js";
import { damaged } from "../chain/stored-values.js";
import { bucketKey, u64Part } from "../key-codec.js";
import type { KeyValueStore } from "../key-value-store.js";
import { StoreError } from "../store-error.js";

export type Place = { readonly height: number; readonly round: number };

const markKey = bucketKey(buckets.meta, utf8("attested"));
const haltKey = bucketKey(buckets.meta, utf8("halted"));
const partBytes = 8;

export class AttestationMark {
  readonly #kv: KeyValueStore;
  readonly #signingKey: Uint8Array;
  #place: Place | undefined;

  private constructor(kv: KeyValueStore, signingKey: Uint8Array, place: Place | undefined) {
    this.#kv = kv;
    this.#signingKey = signingKey;
    this.#place = place;
  }

  /**
   * `signingKey`: 32 bytes, whose mark it is.
   *
   * @throws StoreError MISMATCH for another key's, CORRUPT
   */
  static async open(kv: KeyValueStore, signingKey: Uint8Array): Promise<AttestationMark> {
    const bytes = await kv.get(markKey);
    if (bytes === undefined) return new AttestationMark(kv, signingKey, undefined);
    if (bytes.length !== 2 * partBytes + signingKey.length) {
      throw damaged("the mark of what was attested", "does not decode");
    }
    if (!equalBytes(bytes.subarray(2 * partBytes), signingKey)) {
      const message =
        "the signer's state belongs to another key: configure the one beside this node's own key";
      throw new StoreError("MISMATCH", message);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const height = Number(view.getBigUint64(0));
    return new AttestationMark(kv, signingKey, { height, round: Number(view.getBigUint64(8)) });
  }

  /** Undefined when nothing was ever kept here. */
  get place(): Place | undefined {
    return this.#place;
  }

  /** Durable when it resolves; a place that is not higher changes nothing. */
  async raise(place: Place): Promise<void> {
    if (this.#place !== undefined && !isAfter(place, this.#place)) return;
    const { height, round } = place;
    const value = concatBytes(u64Part(height), u64Part(round), this.#signingKey);
    await this.#kv.write([{ type: "put", key: markKey, value }], "sync");
    this.#place = place;
  }

  /** To be called when what is kept may be older than what was: none is better than that. */
  async forget(): Promise<void> {
    await this.#kv.write([{ type: "delete", key: markKey }], "sync");
    this.#place = undefined;
  }

  async keepHalt(evidence: Uint8Array): Promise<void> {
    if ((await this.halt()) !== undefined) return;
    await this.#kv.write([{ type: "put", key: haltKey, value: evidence }], "sync");
  }

  halt(): Promise<Uint8Array | undefined> {
    return this.#kv.get(haltKey);
  }
}

export function isAfter(a: Place, b: Place): boolean {
  return a.height > b.height || (a.height === b.height && a.round > b.round);
}
