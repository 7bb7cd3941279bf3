/**
 * Mutations of protobuf messages: of the bytes as they are, and of fields at any depth with the
 * lengths around them made to fit.
 */
import type { Random } from "../simulation/random.js";

type Field = { readonly number: number; readonly wireType: number; readonly bytes: Uint8Array };

const wireBytes = 2;
const depthMax = 8;
const bytesMax = 65_536;

/** One to four mutations. */
export function mutated(
  random: Random,
  original: Uint8Array,
  others: readonly Uint8Array[],
): Uint8Array {
  let bytes = original;
  for (let left = 1 + random.below(4); left > 0; left--) {
    bytes = random.chance(0.3)
      ? mutateBytes(random, bytes, others)
      : mutateFields(random, bytes, others, 0);
    if (bytes.length > bytesMax) return bytes.slice(0, bytesMax);
  }
  return bytes;
}

function mutateBytes(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.length + 1);
  switch (random.below(6)) {
    case 0:
      return bytes.length === 0 ? bytes : flip(random, bytes);
    case 1:
      return bytes.slice(0, at);
    case 2:
      return joined([bytes.slice(0, at), noise(random, 1 + random.below(8)), bytes.slice(at)]);
    case 3:
      return joined([bytes.slice(0, at), bytes.slice(at + random.below(8))]);
    case 4: {
      const other = random.pick(others);
      return joined([bytes.slice(0, at), other.slice(random.below(other.length + 1))]);
    }
    default:
      return joined([bytes.slice(0, at), hugeNumber(random), bytes.slice(at)]);
  }
}

function mutateFields(
  random: Random,
  bytes: Uint8Array,
  others: readonly Uint8Array[],
  depth: number,
): Uint8Array {
  const fields = split(bytes);
  if (fields === undefined || fields.length === 0) return mutateBytes(random, bytes, others);
  const at = random.below(fields.length);
  const field = fields[at] as Field;
  if (field.wireType === wireBytes && depth < depthMax && random.chance(0.6)) {
    const inner = mutateFields(random, field.bytes, others, depth + 1);
    return join(fields.with(at, { ...field, bytes: inner }));
  }
  switch (random.below(9)) {
    case 0:
      return join(fields.toSpliced(at, 1));
    case 1: {
      const copies = random.chance(0.1) ? random.below(3_000) : 1 + random.below(4);
      return join(fields.toSpliced(at, 0, ...Array<Field>(copies).fill(field)));
    }
    case 2: {
      const empty = { ...field, wireType: wireBytes, bytes: new Uint8Array() };
      return join(fields.toSpliced(at, 1, ...Array<Field>(random.below(5_000)).fill(empty)));
    }
    case 3:
      return join(random.shuffled(fields));
    case 4:
      return join(fields.with(at, { ...field, wireType: random.below(6) }));
    case 5:
      return join(fields.with(at, { ...field, number: 1 + random.below(32) }));
    case 6: {
      const spliced = split(random.pick(others)) ?? [];
      return join([...fields.slice(0, at), ...spliced, ...fields.slice(at)]);
    }
    case 7: {
      let nested = field.bytes;
      for (let i = random.below(40); i > 0; i--) {
        nested = join([{ number: field.number, wireType: wireBytes, bytes: nested }]);
      }
      return join(fields.with(at, { ...field, wireType: wireBytes, bytes: nested }));
    }
    default: {
      const number = { number: field.number, wireType: 0, bytes: hugeNumber(random) };
      return join(fields.with(at, number));
    }
  }
}

function flip(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length);
  return bytes.with(at, (bytes[at] ?? 0) ^ (1 << random.below(8)));
}

export function noise(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Around the edges of the integers, also padded and too long. */
function hugeNumber(random: Random): Uint8Array {
  const length = random.below(12);
  const last = random.pick([0, 1, 0x0f, 0x10, 0x7f]);
  return Uint8Array.of(...Array<number>(length).fill(random.pick([0x80, 0xff])), last);
}

/** The fields of a message; undefined when the bytes are none. */
function split(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; at < bytes.length && factor < 2 ** 50; factor *= 128) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = number();
    const wireType = tag % 8;
    const start = at;
    let length = 0;
    if (wireType === 0) {
      while ((bytes[at] ?? 0) >= 0x80) at += 1;
      length = at + 1 - start;
    } else if (wireType === wireBytes) length = number();
    else if (wireType === 1 || wireType === 5) length = wireType === 1 ? 8 : 4;
    else return undefined;
    const from = wireType === wireBytes ? at : start;
    if (!(from + length <= bytes.length) || tag < 8) return undefined;
    fields.push({ number: Math.floor(tag / 8), wireType, bytes: bytes.slice(from, from + length) });
    at = from + length;
  }
  return fields;
}

function join(fields: readonly Field[]): Uint8Array {
  const headerMax = 16;
  const out = new Uint8Array(fields.reduce((sum, { bytes }) => sum + bytes.length + headerMax, 0));
  let at = 0;
  for (const { number, wireType, bytes } of fields) {
    at = writeVarint(out, at, number * 8 + wireType);
    if (wireType === wireBytes) at = writeVarint(out, at, bytes.length);
    out.set(bytes, at);
    at += bytes.length;
  }
  return out.slice(0, at);
}

function writeVarint(out: Uint8Array, start: number, value: number): number {
  let [at, rest] = [start, value];
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[at++] = (rest % 128) | 0x80;
  out[at++] = rest;
  return at;
}

export function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  return bytes.slice(0, writeVarint(bytes, 0, value));
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
