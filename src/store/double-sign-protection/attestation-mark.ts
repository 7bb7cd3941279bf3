/**
 * Double-sign protection of a storage node: its key attests once per height and round, whatever
 * happens to the node's disk. What it takes is kept in a store of its own, which lies beside the
 * key and not in the data directory: no loss, repair or rollback of the one takes back the other.
 *
 *     mark     the highest place (height, round) that the key has attested; on disk before the
 *              attestation is sent
 *     floor    up to here nothing new is signed, as the data directory may have lost what was; on
 *              disk before whatever loses it, such as a repair
 *
 * The attestations themselves are in the data directory (attestation-log.ts). While it holds all of
 * them, there is no floor. Otherwise the floor is the mark. If the mark is lost too, or the chain
 * has seen later attestations than it, the floor is put above the round about which managers ask
 * next: what was signed before is about earlier ones. Until they do, what the data directory has
 * left raises the mark but does not make up for it. So a node that has forgotten everything is
 * silent for a few rounds, never for a height.
 *
 * What stopped the node for good is kept here too, for the same reason.
 */
import { concatBytes, equalBytes, utf8 } from "../../base/bytes.js";
import { buckets } from "../buckets.js";
import { damaged } from "../chain/stored-values.js";
import { bucketKey, u64Part } from "../key-codec.js";
import type { KeyValueStore, WriteOperation } from "../key-value-store.js";
import { isDamage, StoreError } from "../store-error.js";

export type Place = { readonly height: number; readonly round: number };

/**
 * "unknown": there is no mark, as in a node that is new; the chain says whether its key has
 * attested. "lost": there was a mark, or may have been one, so the key counts as one that has.
 */
type Unplaced = "unknown" | "lost";
type Floor = Place | Unplaced | undefined;

const markKey = bucketKey(buckets.meta, utf8("attested"));
const floorKey = bucketKey(buckets.meta, utf8("attested-floor"));
const haltKey = bucketKey(buckets.meta, utf8("halted"));
/** They name no key: a node started with a wrong one by mistake still starts with its own. */
const unplacedFloors = { unknown: utf8("unknown"), lost: utf8("lost") } as const;
const placeBytes = 16;
/** A manager may ask about a round that others have left. */
const roundsAhead = 2;

export class AttestationMark {
  readonly #kv: KeyValueStore;
  readonly #signingKey: Uint8Array;
  #place: Place | undefined;
  #floor: Floor;

  private constructor(kv: KeyValueStore, signingKey: Uint8Array) {
    this.#kv = kv;
    this.#signingKey = signingKey;
  }

  /**
   * `signingKey`: 32 bytes, whose mark it is.
   *
   * @throws StoreError MISMATCH for another key's, CORRUPT
   */
  static async open(kv: KeyValueStore, signingKey: Uint8Array): Promise<AttestationMark> {
    const mark = new AttestationMark(kv, signingKey);
    // The last one too, so that damage shows while the store is opened, which mends it.
    const [place, floor] = await kv.getMany([markKey, floorKey, haltKey]);
    if (place !== undefined) mark.#place = mark.#decode(place);
    if (floor !== undefined) {
      mark.#floor = unplacedOf(floor) ?? mark.#decode(floor);
    }
    return mark;
  }

  /** Undefined when nothing was ever kept here. */
  get place(): Place | undefined {
    return this.#place;
  }

  /** Durable when it resolves; a place that is not higher changes nothing. */
  async raise(place: Place): Promise<void> {
    if (this.#place !== undefined && !isAfter(place, this.#place)) return;
    await this.#write([this.#put(markKey, place)]);
    this.#place = place;
  }

  /**
   * To be called before the data directory may lose attestations, or when it lacks some: nothing
   * new is signed up to the mark. Durable when it resolves.
   *
   * A floor without a place stays: a mark that was raised since is that of what the data directory
   * had left, and the key may have signed more.
   */
  async forbidUpToMark(): Promise<void> {
    if (!isUnplaced(this.#floor)) this.#floor = this.#place ?? "unknown";
    await this.#write([this.#put(floorKey, this.#floor)]);
  }

  /**
   * Whether something new may be signed there. If neither the mark nor all that was signed is
   * known, the first question says where the managers are by now, and sets the floor; but that may
   * be a late one, about a round before what is known. A mark below what the chain has seen is
   * none: it was put back, or the key has come without it.
   *
   * `attestedHeight`: the last height that this key has attested, as the chain says; 0 for none.
   */
  async mayAttest(place: Place, attestedHeight: number): Promise<boolean> {
    const isOld = attestedHeight > (this.#place?.height ?? 0);
    if (isOld || isUnplaced(this.#floor)) {
      const known = this.#place;
      const mayHave = attestedHeight > 0 || known !== undefined || this.#floor === "lost";
      const asked = { height: place.height, round: place.round + roundsAhead };
      const floor = known !== undefined && isAfter(known, asked) ? known : asked;
      await this.#setFloor(mayHave ? floor : undefined);
    }
    const floor = this.#floor;
    return floor === undefined || (!isUnplaced(floor) && isAfter(place, floor));
  }

  /**
   * To be called when this store may have lost something: no mark is better than one that is older
   * than it was, and whatever took the mark may have taken the floor. Durable when it resolves.
   */
  async forget(): Promise<void> {
    await this.#kv.write([{ type: "delete", key: markKey }, this.#put(floorKey, "lost")], "sync");
    this.#place = undefined;
    this.#floor = "lost";
  }

  async keepHalt(evidence: Uint8Array): Promise<void> {
    if ((await this.halt()) !== undefined) return;
    await this.#write([{ type: "put", key: haltKey, value: evidence }]);
  }

  halt(): Promise<Uint8Array | undefined> {
    return this.#kv.get(haltKey).catch(failOnDamage);
  }

  async #setFloor(floor: Place | undefined): Promise<void> {
    await this.#write(
      floor === undefined
        ? [{ type: "delete", key: floorKey }]
        : [this.#put(floorKey, floor), this.#put(markKey, floor)],
    );
    this.#floor = floor;
    if (floor !== undefined) this.#place = floor;
  }

  #write(batch: readonly WriteOperation[]): Promise<void> {
    return this.#kv.write(batch, "sync").catch(failOnDamage);
  }

  #put(key: Uint8Array, place: Place | Unplaced): WriteOperation {
    if (isUnplaced(place)) return { type: "put", key, value: unplacedFloors[place] };
    const { height, round } = place;
    return {
      type: "put",
      key,
      value: concatBytes(u64Part(height), u64Part(round), this.#signingKey),
    };
  }

  #decode(value: Uint8Array): Place {
    if (value.length !== placeBytes + this.#signingKey.length) {
      throw damaged("the mark of what was attested", "does not decode");
    }
    if (!equalBytes(value.subarray(placeBytes), this.#signingKey)) {
      const message =
        "the signer's state belongs to another key: configure the one beside this node's own key";
      throw new StoreError("MISMATCH", message);
    }
    const view = new DataView(value.buffer, value.byteOffset);
    return { height: Number(view.getBigUint64(0)), round: Number(view.getBigUint64(8)) };
  }
}

function isUnplaced(floor: Floor): floor is Unplaced {
  return floor === "unknown" || floor === "lost";
}

function unplacedOf(value: Uint8Array): Unplaced | undefined {
  const { unknown, lost } = unplacedFloors;
  if (equalBytes(value, unknown)) return "unknown";
  return equalBytes(value, lost) ? "lost" : undefined;
}

export function isAfter(a: Place, b: Place): boolean {
  return a.height > b.height || (a.height === b.height && a.round > b.round);
}

/**
 * A running node repairs its data directory when it meets damage, which would mend nothing here. So
 * damage of this store is no damage to a caller: the node ends, and mends the store when it starts.
 */
function failOnDamage(error: unknown): never {
  if (!isDamage(error)) throw error;
  const message =
    "the store of the mark of what was attested (signer_state) is damaged: check the disk and " +
    "leave the directory as it is; the node mends it when it starts";
  throw new StoreError("IO", message, { cause: error });
}
