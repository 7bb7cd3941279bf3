/**
 * The canonical encoding (canonical.proto): fields in the order of their numbers, each once,
 * defaults left out, numbers of lists packed. It is what protobuf-es writes, in a fraction of the
 * time: that makes a message of what it is given, a reflection of every message within, and several
 * small arrays for each. A test holds the two to the same bytes.
 *
 * It writes from the end to the start, so that the length of a message within is known when its
 * place has come.
 */
import type { DescMessage } from "@bufbuild/protobuf";
import { assert, defined } from "../base/assert.js";
import { utf8 } from "../base/bytes.js";
import { putVarint, varintBytes } from "../base/varint.js";
import {
  type Field,
  type FieldKind,
  type Layout,
  layoutOf,
  type PlainMessage,
  wireBytes,
  wireVarint,
} from "./message-layout.js";

/** Fields of another kind than those of the layout, as protobuf-es keeps them in a message. */
type UnknownField = { readonly no: number; readonly wireType: number; readonly data: Uint8Array };

/**
 * The bytes of a message of a schema that has a layout, in what `allocate` gives for their length.
 *
 * @throws Error for a value that is none of its field's type
 */
export function canonicalEncode<Bytes extends Uint8Array>(
  schema: DescMessage,
  message: object,
  allocate: (length: number) => Bytes,
): Bytes {
  room.begin();
  writeMessage(layoutOf(schema), message as PlainMessage);
  return room.take(allocate);
}

function writeMessage(layout: Layout, message: PlainMessage): void {
  const unknown = message.$unknown as readonly UnknownField[] | undefined;
  if (unknown !== undefined) {
    fromLast(unknown, ({ no, wireType, data }) => {
      room.bytes(data);
      room.number((no << 3) | wireType);
    });
  }
  for (const field of layout.descending) {
    const { localName, oneof, isRepeated, isPacked } = field;
    if (oneof !== undefined) {
      const set = message[oneof.localName] as { case?: string; value?: unknown } | undefined;
      if (set?.case === localName) writeField(field, set.value);
      continue;
    }
    const value = message[localName];
    if (value === undefined) continue;
    if (isRepeated) fromLast(value as unknown[], (each) => writeField(field, each));
    else if (isPacked) writePacked(field, value as unknown[]);
    else if (!isDefault(field.kind, value)) writeField(field, value);
  }
}

function writeField(field: Field, value: unknown): void {
  const { kind, number, schema } = field;
  if (field.wireType === wireVarint) {
    writeNumber(kind, value);
  } else {
    const before = room.length;
    if (kind === "message") {
      writeMessage(layoutOf(defined(schema, "it has one")), value as PlainMessage);
    } else if (kind === "text") room.text(value as string);
    else room.bytes(value as Uint8Array);
    room.number(room.length - before);
  }
  room.number((number << 3) | field.wireType);
}

function writePacked({ kind, number }: Field, values: readonly unknown[]): void {
  if (values.length === 0) return;
  const before = room.length;
  fromLast(values, (value) => writeNumber(kind, value));
  room.number(room.length - before);
  room.number((number << 3) | wireBytes);
}

function fromLast<T>(list: readonly T[], visit: (each: T) => void): void {
  for (let i = list.length - 1; i >= 0; i--) visit(list[i] as T);
}

function isDefault(kind: FieldKind, value: unknown): boolean {
  switch (kind) {
    case "message":
      return false;
    case "text":
      return value === "";
    case "bytes":
      return (value as Uint8Array).length === 0;
    case "bool":
      return value === false;
    case "u64":
    case "s64":
      return value === 0n;
    default:
      return value === 0;
  }
}

function writeNumber(kind: FieldKind, value: unknown): void {
  switch (kind) {
    case "bool":
      assert(typeof value === "boolean", typed);
      room.number(value ? 1 : 0);
      break;
    case "u64":
    case "s64": {
      assert(typeof value === "bigint", typed);
      const unsigned = BigInt.asUintN(64, value);
      const same = kind === "u64" ? unsigned : BigInt.asIntN(64, value);
      assert(same === value, typed);
      room.long(unsigned);
      break;
    }
    default: {
      assert(typeof value === "number", typed);
      const same = kind === "u32" ? value >>> 0 : value | 0;
      assert(same === value, typed);
      // Zigzag: 0, −1, 1, −2, 2.
      if (kind === "s32") room.number(((value << 1) ^ (value >> 31)) >>> 0);
      // A member of an enum that is below 0 has 64 bits.
      else if (value < 0) room.long(BigInt.asUintN(64, BigInt(value)));
      else room.number(value);
    }
  }
}

const typed = "a value is of its field's type";
const keptBytes = 64 * 1024;
const lowBits = 49n;
const lowBytes = 7;

/** Where one message at a time is written, from the end to the start. */
class Room {
  #bytes = new Uint8Array(keptBytes);
  /** Where the latest byte stands. */
  #at = keptBytes;

  /** What a message that failed has left is forgotten. */
  begin(): void {
    this.#at = this.#bytes.length;
  }

  get length(): number {
    return this.#bytes.length - this.#at;
  }

  take<Bytes extends Uint8Array>(allocate: (length: number) => Bytes): Bytes {
    const taken = allocate(this.length);
    taken.set(this.#bytes.subarray(this.#at));
    if (this.#bytes.length > keptBytes) this.#bytes = new Uint8Array(keptBytes);
    return taken;
  }

  /** From 0 to 2^53 − 1. */
  number(value: number): void {
    if (value < 0x80) {
      this.#reserve(1);
      this.#bytes[this.#at] = value;
      return;
    }
    this.#reserve(varintBytes(value));
    putVarint(this.#bytes, this.#at, value);
  }

  /** From 0 to 2^64 − 1. */
  long(value: bigint): void {
    if (value <= Number.MAX_SAFE_INTEGER) {
      this.number(Number(value));
      return;
    }
    this.number(Number(value >> lowBits));
    this.#reserve(lowBytes);
    let rest = Number(BigInt.asUintN(Number(lowBits), value));
    for (let i = 0; i < lowBytes; i++) {
      this.#bytes[this.#at + i] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
  }

  text(value: string): void {
    const { length } = value;
    this.#reserve(length);
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code < 0x80) {
        this.#bytes[this.#at + i] = code;
        continue;
      }
      this.#at += length;
      this.bytes(utf8(value));
      return;
    }
  }

  #reserve(length: number): void {
    if (this.#at < length) {
      const written = this.#bytes.subarray(this.#at);
      const larger = new Uint8Array(2 * this.#bytes.length + length);
      this.#at = larger.length - written.length;
      larger.set(written, this.#at);
      this.#bytes = larger;
    }
    this.#at -= length;
  }
}

/** One for all: nothing else runs while a message is written. */
const room = new Room();
