/**
 * Mutants of valid items, the same ones in every language (docs/sdks.md describes the procedure).
 *
 * An edit that keeps the length reaches the checks behind the decoder; the others try the decoder
 * itself. Whole stretches come from other valid items, so a mutant mixes what was really signed.
 */
import { concatBytes, emptyBytes } from "../../src/base/bytes.js";

const mask = (1n << 64n) - 1n;

/** Sebastiano Vigna's splitmix64. */
export class SplitMix64 {
  #state: bigint;

  constructor(seed: bigint) {
    this.#state = seed & mask;
  }

  next(): bigint {
    this.#state = (this.#state + 0x9e3779b97f4a7c15n) & mask;
    let z = this.#state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    return z ^ (z >> 31n);
  }

  /** From 0 to `bound` − 1. */
  below(bound: number): number {
    return Number(this.next() % BigInt(bound));
  }
}

/** The longest stretch that is taken from another item. */
const stretchMax = 64;

/** The mutant of this number, and the index of the item that it was made of. */
export function mutant(
  originals: readonly Uint8Array[],
  number: number,
): { readonly of: number; readonly bytes: Uint8Array } {
  const random = new SplitMix64(BigInt(number));
  const of = random.below(originals.length);
  let bytes: Uint8Array = at(originals, of).slice();
  for (let left = 1 + random.below(3); left > 0; left--) {
    const operation = random.below(8);
    const place = random.below(bytes.length + 1);
    switch (operation) {
      case 0:
      case 1:
        if (place < bytes.length) bytes[place] = (bytes[place] ?? 0) ^ (1 << random.below(8));
        break;
      case 2:
        if (place < bytes.length) bytes[place] = random.below(256);
        break;
      case 3:
        bytes.set(stretchOf(originals, random).slice(0, bytes.length - place), place);
        break;
      case 4:
        bytes = spliced(bytes, place, place, Uint8Array.of(random.below(256)));
        break;
      case 5:
        bytes = spliced(bytes, place, place + 1 + random.below(stretchMax), emptyBytes);
        break;
      case 6:
        bytes = bytes.slice(0, place);
        break;
      default:
        bytes = concatBytes(bytes, at(originals, random.below(originals.length)));
    }
  }
  return { of, bytes };
}

function spliced(bytes: Uint8Array, from: number, to: number, put: Uint8Array): Uint8Array {
  return concatBytes(bytes.subarray(0, from), put, bytes.subarray(to));
}

/** 1 to 64 bytes of one of the items, fewer at its end. */
function stretchOf(originals: readonly Uint8Array[], random: SplitMix64): Uint8Array {
  const source = at(originals, random.below(originals.length));
  const start = random.below(source.length);
  return source.slice(start, start + 1 + random.below(stretchMax));
}

function at(originals: readonly Uint8Array[], index: number): Uint8Array {
  return originals[index] ?? new Uint8Array();
}
