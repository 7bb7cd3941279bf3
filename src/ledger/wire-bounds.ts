/**
 * Bounds on what bytes of others become when they are decoded.
 *
 * An empty message in a repeated field takes two bytes on the wire and hundreds in memory, so a
 * bound on bytes bounds nothing. Before anything is decoded, the wire format is walked once along
 * the message's descriptor: elements and the memory that they will take are counted, and the walk
 * ends where a bound is passed. It allocates nothing that grows with the bytes.
 *
 * Bytes that the decoder would read in another way than the walk are refused as malformed (a field
 * with another wire type, groups, padded tags and lengths), so that no bytes are small for the walk
 * and large for the decoder.
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { assert } from "../base/assert.js";

/** What a message may become: a fixed part, and one that grows with its length. */
export type WireBounds = {
  /** Fields, entries of lists and maps, numbers in packed lists, at any depth. */
  readonly elements: number;
  /** Bytes in memory, besides those of the message itself. */
  readonly memoryBytes: number;
  /** Elements more for each byte of the message. */
  readonly elementsPerByte?: number;
  readonly memoryPerByte?: number;
  /** What it may become at most, however long it is. */
  readonly elementsMax?: number;
  readonly memoryMax?: number;
};

/** Why bytes are not decoded. */
type WireProblem =
  | { readonly kind: "malformed"; readonly message: string }
  | {
      readonly kind: "elements" | "memory" | "depth" | "unknown fields";
      readonly limit: number;
      readonly message: string;
    };

/**
 * For bytes that stand in messages and are decoded by themselves: headers, operations,
 * certificates. What they hold many of, honestly, are signatures and ids.
 */
export const embeddedBounds: WireBounds = {
  elements: 1_024,
  memoryBytes: 65_536,
  elementsPerByte: 1 / 2,
  memoryPerByte: 12,
};

/**
 * For what participants write, of which a block has thousands: records, and submission headers,
 * whose elements are hashes of 32 bytes. Load profiles have the most elements for a byte, packed
 * values of one byte, and the most memory, runs of six bytes. No longer profile than the longest
 * that the rules allow is decoded. What a decoded record takes is garbage once it is parsed.
 */
export const recordBounds: WireBounds = {
  elements: 64,
  memoryBytes: 4_096,
  elementsPerByte: 1,
  memoryPerByte: 40,
  // 8,928 intervals: each a run, with its two fields, and a value in each direction.
  elementsMax: 5 * 8_928 + 64,
  memoryMax: 2_400_000,
};

/** Messages within messages; the API's own are less than half as deep. */
const nestingMax = 16;
/** Fields that the schema does not have, at any depth: a newer node's message may have a few. */
export const unknownFieldsMax = 64;

// What protobuf-es and V8 take, rounded up; a test measures each against the heap.
const messageCost = 96;
const fieldCost = 48;
/** An empty Uint8Array for a bytes field that is not set. */
const defaultBytesCost = 150;
const bytesCost = 112;
const textCost = 32;
const numberCost = 16;
const bigNumberCost = 40;
const unknownCost = 192;
const mapEntryCost = 128;

const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;
const wireFixed32 = 5;

/** Walks `bytes`; undefined when they may be decoded. Never throws. */
export function wireProblem(
  schema: DescMessage,
  bytes: Uint8Array,
  bounds: WireBounds,
): WireProblem | undefined {
  return new Walk(bytes, bounds).run(layoutOf(schema));
}

type Field = {
  readonly wireType: number;
  /** A list of numbers, which may come packed as well as one by one. */
  readonly packable: boolean;
  /** What one value takes in memory. */
  readonly cost: number;
  /** Text takes up to two bytes in memory for each on the wire. */
  readonly text: boolean;
  readonly message: DescMessage | undefined;
  /** Of a map: the layout of its entries. */
  readonly entry: Layout | undefined;
};

type Layout = {
  /** By number. */
  readonly fields: ReadonlyMap<number, Field>;
  readonly cost: number;
  /** An entry of a map: the decoder does not skip what it does not know. */
  readonly closed: boolean;
};

class Walk {
  #elements = 0;
  #memoryBytes = 0;
  readonly #bytes: Uint8Array;
  readonly #elementsMax: number;
  readonly #memoryMax: number;
  #at = 0;
  #unknown = 0;
  #problem: WireProblem | undefined;

  constructor(bytes: Uint8Array, bounds: WireBounds) {
    this.#bytes = bytes;
    const { elementsPerByte = 0, memoryPerByte = 0 } = bounds;
    const { elementsMax = Infinity, memoryMax = Infinity } = bounds;
    const elements = bounds.elements + elementsPerByte * bytes.length;
    const memoryBytes = bounds.memoryBytes + memoryPerByte * bytes.length;
    this.#elementsMax = Math.floor(Math.min(elements, elementsMax));
    this.#memoryMax = Math.floor(Math.min(memoryBytes, memoryMax));
  }

  run(layout: Layout): WireProblem | undefined {
    this.#memoryBytes += layout.cost;
    this.#message(layout, this.#bytes.length, 1);
    return this.#problem;
  }

  /** False, with a problem, where the walk ends early. */
  #message(layout: Layout, end: number, depth: number): boolean {
    if (depth > nestingMax) return this.#passed("depth", nestingMax);
    while (this.#at < end) {
      const tag = this.#number(end);
      if (tag < 8) return this.#malformed("a field's tag is cut off, padded or too large");
      const field = layout.fields.get(tag >>> 3);
      const taken =
        field === undefined
          ? this.#unknownField(layout, tag, end)
          : this.#field(field, tag & 7, end, depth);
      if (!taken) return false;
    }
    return true;
  }

  #field(field: Field, wireType: number, end: number, depth: number): boolean {
    if (wireType === field.wireType && wireType !== wireBytes) {
      return this.#count(field.cost) && this.#skipNumber(wireType, end);
    }
    if (wireType !== wireBytes || (field.wireType !== wireBytes && !field.packable)) {
      return this.#malformed(`a field has wire type ${wireType}`);
    }
    const length = this.#number(end);
    if (length < 0 || length > end - this.#at) return this.#malformed("a field is cut off");
    const fieldEnd = this.#at + length;
    if (field.wireType !== wireBytes) {
      while (this.#at < fieldEnd) {
        if (!this.#count(field.cost) || !this.#skipNumber(field.wireType, fieldEnd)) return false;
      }
      return true;
    }
    if (!this.#count(field.text ? field.cost + 2 * length : field.cost)) return false;
    const layout = field.entry ?? (field.message && layoutOf(field.message));
    if (layout !== undefined) return this.#message(layout, fieldEnd, depth + 1);
    this.#at = fieldEnd;
    return true;
  }

  #unknownField(layout: Layout, tag: number, end: number): boolean {
    if (layout.closed) return this.#malformed("an entry of a map holds an unknown field");
    this.#unknown += 1;
    if (this.#unknown > unknownFieldsMax) return this.#passed("unknown fields", unknownFieldsMax);
    const wireType = tag & 7;
    if (wireType !== wireBytes) return this.#count(unknownCost) && this.#skipNumber(wireType, end);
    const length = this.#number(end);
    if (length < 0 || length > end - this.#at) return this.#malformed("a field is cut off");
    this.#at += length;
    return this.#count(unknownCost);
  }

  #count(cost: number): boolean {
    this.#elements += 1;
    this.#memoryBytes += cost;
    if (this.#elements > this.#elementsMax) return this.#passed("elements", this.#elementsMax);
    if (this.#memoryBytes > this.#memoryMax) return this.#passed("memory", this.#memoryMax);
    return true;
  }

  /** A tag or a length below 2^31 in at most five bytes; −1 for anything else. */
  #number(end: number): number {
    let value = 0;
    for (let shift = 0; this.#at < end && shift <= 28; shift += 7) {
      const byte = this.#bytes[this.#at] as number;
      this.#at += 1;
      if (shift === 28 && byte > 0x07) return -1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  #skipNumber(wireType: number, end: number): boolean {
    switch (wireType) {
      case wireVarint:
        for (let length = 1; length <= 10 && this.#at < end; length++) {
          const byte = this.#bytes[this.#at] as number;
          this.#at += 1;
          if (byte < 0x80) return true;
        }
        return this.#malformed("a number is cut off or too long");
      case wireFixed64:
      case wireFixed32: {
        const length = wireType === wireFixed64 ? 8 : 4;
        if (length > end - this.#at) return this.#malformed("a number is cut off");
        this.#at += length;
        return true;
      }
      default:
        return this.#malformed(`a field has wire type ${wireType}`);
    }
  }

  #passed(kind: "elements" | "memory" | "depth" | "unknown fields", limit: number): boolean {
    const message = `${excess[kind]}, at most ${limit} are allowed in ${this.#bytes.length} bytes`;
    this.#problem = { kind, limit, message };
    return false;
  }

  #malformed(message: string): boolean {
    this.#problem = { kind: "malformed", message };
    return false;
  }
}

const excess = {
  elements: "it has too many elements",
  memory: "it would take too many bytes in memory",
  depth: "its messages are nested too deep",
  "unknown fields": "it has too many unknown fields",
} as const;

const layouts = new WeakMap<DescMessage, Layout>();

function layoutOf(schema: DescMessage): Layout {
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  const fields = new Map(schema.fields.map((field) => [field.number, fieldOf(field)]));
  const layout = { fields, cost: costOf(schema), closed: false };
  layouts.set(schema, layout);
  return layout;
}

function fieldOf(field: DescField): Field {
  if (field.fieldKind === "map") {
    const value = field.message ?? field.scalar ?? ScalarType.INT32;
    const entries = [
      [1, valueField(field.mapKey)],
      [2, valueField(value)],
    ] as const;
    const entry = { fields: new Map(entries), cost: 0, closed: true };
    return { ...blank, wireType: wireBytes, cost: mapEntryCost, entry };
  }
  assert(!("delimitedEncoding" in field && field.delimitedEncoding), "no message is a group");
  const value = valueField(field.message ?? field.scalar ?? ScalarType.INT32);
  return { ...value, packable: field.fieldKind === "list" && value.wireType !== wireBytes };
}

const blank = { packable: false, text: false, message: undefined, entry: undefined };

function valueField(type: DescMessage | ScalarType): Field {
  if (typeof type === "object") {
    // The layout of the message itself is looked up when it is met, as messages may refer in rings.
    return { ...blank, wireType: wireBytes, cost: costOf(type), message: type };
  }
  switch (type) {
    case ScalarType.STRING:
      return { ...blank, wireType: wireBytes, cost: textCost, text: true };
    case ScalarType.BYTES:
      return { ...blank, wireType: wireBytes, cost: bytesCost };
    case ScalarType.DOUBLE:
      return { ...blank, wireType: wireFixed64, cost: numberCost };
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return { ...blank, wireType: wireFixed64, cost: bigNumberCost };
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return { ...blank, wireType: wireFixed32, cost: numberCost };
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
      return { ...blank, wireType: wireVarint, cost: bigNumberCost };
    default:
      return { ...blank, wireType: wireVarint, cost: numberCost };
  }
}

/** What an empty message takes. The members of a oneof share one place. */
function costOf(schema: DescMessage): number {
  let cost = messageCost + fieldCost * schema.oneofs.length;
  for (const field of schema.fields) {
    if (field.oneof !== undefined) continue;
    const bytes = field.fieldKind === "scalar" && field.scalar === ScalarType.BYTES;
    cost += bytes ? fieldCost + defaultBytesCost : fieldCost;
  }
  return cost;
}
