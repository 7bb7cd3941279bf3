/**
 * The bodies of blocks that a manager has proposed or committed at the height that is being voted
 * on. The body of the block that it is locked on stays as long as the height is open: after a
 * restart it may be the only copy. Of the others the latest few are kept: a manager that has gone
 * through many rounds does not need the first ones.
 */
import { assert, defined } from "../../base/assert.js";
import { toHex } from "../../base/bytes.js";
import { type ManagerBlock, ManagerBlockSchema } from "../../gen/bss/v1/block_pb.js";
import { blockId } from "../../ledger/blocks/block-hashes.js";
import { managerBlockToEncode } from "../../ledger/blocks/long-lists.js";
import { buckets } from "../buckets.js";
import { putMessage, storedMessage } from "../chain/stored-values.js";
import { bucketKey, bucketRange, u64Part } from "../key-codec.js";
import type { KeyValueStore, WriteOperation } from "../key-value-store.js";

export const bodiesMax = 16;

/** Few, as each may be as long as a block. */
const bodiesPerPage = 2;

/** Writes for somebody else's batch, and what to do once that batch is on disk. */
export type PendingChange = {
  readonly writes: readonly WriteOperation[];
  readonly onWritten: () => void;
};

export class CandidateBodies {
  readonly #kv: KeyValueStore;
  /** By key in hex, the latest last. */
  readonly #keys = new Map<string, Uint8Array>();

  private constructor(kv: KeyValueStore) {
    this.#kv = kv;
  }

  static async open(kv: KeyValueStore): Promise<CandidateBodies> {
    const bodies = new CandidateBodies(kv);
    const range = { ...bucketRange(buckets.candidate), pageEntries: bodiesPerPage };
    for await (const [key] of kv.scan(range)) bodies.#keys.set(toHex(key), key);
    return bodies;
  }

  /** Keeps bodies, and drops the oldest ones beyond `bodiesMax`, but never the locked one. */
  add(
    height: number,
    bodies: readonly ManagerBlock[],
    lockedBlockId: Uint8Array | undefined,
  ): PendingChange {
    const keys = new Map(this.#keys);
    const writes: WriteOperation[] = [];
    for (const body of bodies) {
      const key = bodyKey(height, blockId(defined(body.block, "a body has its block").header));
      const hex = toHex(key);
      const isNew = !keys.has(hex);
      if (isNew) writes.push(putMessage(key, ManagerBlockSchema, managerBlockToEncode(body)));
      keys.delete(hex);
      keys.set(hex, key);
    }
    const locked = lockedBlockId && toHex(bodyKey(height, lockedBlockId));
    assert(locked === undefined || keys.has(locked), "a lock is on a block that is held");
    const spare = [...keys].filter(([hex]) => hex !== locked);
    for (const [hex, key] of spare.slice(0, Math.max(0, keys.size - bodiesMax))) {
      keys.delete(hex);
      writes.push({ type: "delete", key });
    }
    return { writes, onWritten: () => this.#replace(keys) };
  }

  /** Drops all bodies. */
  clear(): PendingChange {
    const writes = [...this.#keys.values()].map((key) => ({ type: "delete", key }) as const);
    return { writes, onWritten: () => this.#replace(new Map()) };
  }

  async load(height: number): Promise<readonly ManagerBlock[]> {
    const bodies: ManagerBlock[] = [];
    const range = bucketRange(buckets.candidate, u64Part(height));
    for await (const [, value] of this.#kv.scan({ ...range, pageEntries: bodiesPerPage })) {
      bodies.push(storedMessage(ManagerBlockSchema, value, `a candidate of height ${height}`));
    }
    return bodies;
  }

  #replace(keys: ReadonlyMap<string, Uint8Array>): void {
    this.#keys.clear();
    for (const [hex, key] of keys) this.#keys.set(hex, key);
  }
}

function bodyKey(height: number, id: Uint8Array): Uint8Array {
  return bucketKey(buckets.candidate, u64Part(height), id);
}
