/** Numbers and bytes that follow from a seed, so that a measure can be repeated. */
import { shake256 } from "@noble/hashes/sha3.js";
import { utf8 } from "../../src/base/bytes.js";

export type Random = {
  /** From 0 up to, and without, 1. */
  readonly next: () => number;
  readonly bytes: (length: number) => Uint8Array;
  /** The items in a random order; the list stays as it was. */
  readonly shuffled: <T>(items: readonly T[]) => T[];
};

export function seededRandom(seed: string): Random {
  const stream = shake256.create({}).update(utf8(`bench/${seed}`));
  const bytes = (length: number) => stream.xof(length);
  let pool = new DataView(new ArrayBuffer(0));
  let at = 0;
  const next = () => {
    if (at >= pool.byteLength) {
      pool = new DataView(bytes(4_096).buffer);
      at = 0;
    }
    at += 4;
    return pool.getUint32(at - 4) / 2 ** 32;
  };
  const shuffled = <T>(items: readonly T[]): T[] => {
    const keyed = items.map((item) => ({ item, key: next() }));
    return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
  };
  return { next, bytes, shuffled };
}
