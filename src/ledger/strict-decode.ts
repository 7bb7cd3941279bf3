/**
 * Decoding of bytes that are hashed, signed and kept for ever, with no room for a second reading.
 *
 * Protobuf libraries are generous: they skip unknown fields, let the last of two values win, merge
 * a message that comes twice, take padded integers, and some ignore a wrong wire type. Each of
 * these is a place where a record could carry data that the rules do not see, or where two managers
 * with different libraries could see different things. So the bytes are read here in one walk, and
 * refused unless
 *
 *   - every field is known, has its own wire type, and stands once (repeated fields as often as they like; numbers packed),
 *   - of a oneof at most one member is set,
 *   - integers are in their shortest form and fit their type,
 *   - a length ends within its message, and the last field ends exactly at the end,
 *   - text is UTF-8, without a byte order mark (decoders drop it).
 *
 * The order of fields is free, and a default value may be written out: neither changes the meaning.
 *
 * What it makes are the messages that protobuf-es makes. That would walk the bytes once more, and
 * take half the time that a record's way into the pool takes. A test holds the two to the same
 * results.
 */
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { defined } from "../base/assert.js";
import { binaryText, emptyBytes, utf8Decode } from "../base/bytes.js";
import { err, ok, type Result } from "../base/result.js";
import {
  type Field,
  type FieldKind,
  hasLayout,
  type Layout,
  layoutOf,
  type PlainMessage,
  wireVarint,
} from "./message-layout.js";
import { recordBounds, wireProblem } from "./wire-bounds.js";

/**
 * Decodes `bytes` as `schema`; the error says in words what is wrong and in which
 * field. Never throws.
 */
export function strictDecode<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): Result<MessageShape<Desc>, string> {
  const excess = wireProblem(schema, bytes, recordBounds);
  // What is malformed in its eyes is so in those of the walk, which says in which field.
  if (excess !== undefined && excess.kind !== "malformed") return err(excess.message);
  const walk = new Walk(bytes);
  const message = walk.message(layoutOf(schema), bytes.length);
  if (message === undefined) return err(walk.problem);
  if (excess !== undefined) return err(excess.message);
  return ok(message as MessageShape<Desc>);
}

/**
 * What protobuf-es decodes, and as it does: unknown fields and all that is refused above are left
 * to it. What nodes and clients write is strict, and read in a fraction of its time.
 *
 * @throws Error for bytes that are no such message
 */
export function decode<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> {
  return (
    (hasLayout(schema) ? strictMessage(schema, bytes) : undefined) ?? fromBinary(schema, bytes)
  );
}

/** For a schema that has a layout; undefined for bytes that are refused. Never throws. */
export function strictMessage<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> | undefined {
  const message = new Walk(bytes).message(layoutOf(schema), bytes.length);
  return message as MessageShape<Desc> | undefined;
}

class Walk {
  private readonly bytes: Uint8Array;
  private at = 0;
  /** What is wrong, once the walk has ended early. */
  problem = "";

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Reads one message up to `end`; undefined, with a problem, when something is wrong. */
  message(layout: Layout, end: number): PlainMessage | undefined {
    const message = { ...layout.blank };
    for (const name of layout.lists) message[name] = [];
    let seen = 0;
    let oneofsSeen = 0;
    while (this.at < end) {
      const tag = this.shortNumber(end);
      if (tag < 0) return this.wrong("a field's tag is cut off or padded");
      const field = layout.fields[tag >>> 3];
      if (field === undefined) return this.wrong(`field ${tag >>> 3} is unknown`);
      const { name, localName, oneof } = field;
      if ((tag & 7) !== field.wireType) return this.wrong(`${name} has wire type ${tag & 7}`);
      const bit = 1 << field.number;
      if (!field.isRepeated && (seen & bit) !== 0) return this.wrong(`${name} is there twice`);
      seen |= bit;
      if (oneof !== undefined) {
        if ((oneofsSeen & oneof.bit) !== 0) return this.wrong(`${name} excludes another field`);
        oneofsSeen |= oneof.bit;
      }
      const value = this.value(field, end);
      if (value === undefined) return undefined;
      if (oneof !== undefined) message[oneof.localName] = { case: localName, value };
      else if (field.isRepeated) (message[localName] as unknown[]).push(value);
      else message[localName] = value;
    }
    for (const { localName, bit } of layout.oneofs) {
      if ((oneofsSeen & bit) === 0) message[localName] = { case: undefined };
    }
    return message;
  }

  private value(field: Field, end: number): unknown {
    const { kind, name } = field;
    if (field.wireType === wireVarint) {
      const value = this.varint(kind, end);
      if (value !== undefined) return value;
      return this.wrong(`${name} is not an integer of its type in its shortest form`);
    }
    const length = this.shortNumber(end);
    const fieldEnd = this.at + length;
    if (length < 0 || fieldEnd > end) return this.wrong(`${name} is cut off`);
    if (field.isPacked) return this.packed(field, fieldEnd);
    if (kind === "message") {
      const message = this.message(layoutOf(defined(field.schema, "it has one")), fieldEnd);
      if (message === undefined) this.problem = `${name}: ${this.problem}`;
      return message;
    }
    const start = this.at;
    this.at = fieldEnd;
    if (kind === "bytes") return length === 0 ? emptyBytes : this.bytes.subarray(start, fieldEnd);
    if (this.startsWithByteOrderMark(start, fieldEnd)) {
      return this.wrong(`${name} has a byte order mark`);
    }
    return this.text(start, fieldEnd) ?? this.wrong(`${name} is not UTF-8`);
  }

  private packed({ kind, name }: Field, end: number): unknown {
    const values: unknown[] = [];
    while (this.at < end) {
      const value = this.varint(kind, end);
      if (value === undefined) return this.wrong(`${name} holds a wrong integer`);
      values.push(value);
    }
    return values;
  }

  private text(start: number, end: number): string | undefined {
    for (let i = start; i < end; i++) {
      if (this.byte(i) >= 0x80) return utf8Decode(this.bytes.subarray(start, end));
    }
    return binaryText(this.bytes, start, end);
  }

  /** A tag or a length: an integer below 2^31 in its shortest form, or −1. */
  private shortNumber(end: number): number {
    const start = this.at;
    if (!this.skipVarint(end)) return -1;
    const length = this.at - start;
    if (length > 5 || (length === 5 && this.byte(this.at - 1) > 0x07)) return -1;
    return this.smallNumber(start);
  }

  /** An integer; undefined when it does not end in time, is padded or does not fit. */
  private varint(kind: FieldKind, end: number): number | bigint | boolean | undefined {
    const start = this.at;
    if (!this.skipVarint(end)) return undefined;
    const length = this.at - start;
    const last = this.byte(this.at - 1);
    switch (kind) {
      case "bool":
        return length === 1 && last <= 1 ? last === 1 : undefined;
      case "u32":
      case "s32":
      case "enum": {
        if (length > 5 || (length === 5 && last > 0x0f)) return undefined;
        const value = this.smallNumber(start);
        if (kind === "u32") return value;
        // Zigzag: 0, −1, 1, −2, 2.
        return kind === "s32" ? (value >>> 1) ^ -(value & 1) : value | 0;
      }
      default: {
        if (length === 10 && last > 1) return undefined;
        if (length <= 7) return BigInt(this.smallNumber(start));
        let value = 0n;
        for (let i = this.at - 1; i >= start; i--) {
          value = (value << 7n) | BigInt(this.byte(i) & 0x7f);
        }
        return kind === "u64" ? value : BigInt.asIntN(64, value);
      }
    }
  }

  /** The integer from `start` to here, of up to 7 bytes: these hold 49 bits. */
  private smallNumber(start: number): number {
    let value = 0;
    for (let i = this.at - 1; i >= start; i--) value = value * 128 + (this.byte(i) & 0x7f);
    return value;
  }

  /** Steps over an integer of up to 10 bytes; false when it does not end in time or is padded. */
  private skipVarint(end: number): boolean {
    const start = this.at;
    const last = Math.min(end, start + 10);
    while (this.at < last) {
      const byte = this.byte(this.at);
      this.at += 1;
      if (byte < 0x80) return byte !== 0 || this.at - start === 1;
    }
    return false;
  }

  private startsWithByteOrderMark(start: number, end: number): boolean {
    if (end - start < 3 || this.byte(start) !== 0xef) return false;
    return this.byte(start + 1) === 0xbb && this.byte(start + 2) === 0xbf;
  }

  private byte(index: number): number {
    return this.bytes[index] as number;
  }

  private wrong(problem: string): undefined {
    this.problem = problem;
    return undefined;
  }
}
