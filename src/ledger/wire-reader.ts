/** Reads messages along their plans (wire-plan.ts). */
import { binaryText, utf8Decode } from "../base/bytes.js";
import { type FieldPlan, type MessagePlan, wireBytes } from "./wire-plan.js";

type Values = Readonly<Record<string, unknown>>;

/** The bytes are not as usual, and protobuf-es has to read them. Nobody sees this error. */
const unusual = new Error("not as usual");
const nestingMax = 32;

/** The message in `bytes`; undefined if they are not as usual. */
export function read(plan: MessagePlan, bytes: Uint8Array): Values | undefined {
  try {
    return new Reader(bytes).message(plan, bytes.length, 1);
  } catch (error) {
    if (error === unusual) return undefined;
    throw error;
  }
}

class Reader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  message(plan: MessagePlan, end: number, depth: number): Values {
    if (depth > nestingMax || end > this.bytes.length) throw unusual;
    const message: Record<string, unknown> = { ...plan.zero };
    while (this.at < end) {
      const tag = this.number();
      const field = plan.byNumber[tag >>> 3];
      if (field === undefined) throw unusual;
      if ((tag & 7) !== field.wireType) {
        if (!field.list || (tag & 7) !== wireBytes) throw unusual;
        this.packed(field, listIn(message, field.name));
      } else if (field.list) {
        listIn(message, field.name).push(this.value(field, depth));
      } else if (field.oneof !== undefined) {
        if (message[field.oneof] !== undefined) throw unusual;
        message[field.oneof] = { case: field.name, value: this.value(field, depth) };
      } else {
        if (field.kind === "message" && message[field.name] !== undefined) throw unusual;
        message[field.name] = this.value(field, depth);
      }
    }
    if (this.at !== end) throw unusual;
    for (const name of plan.lists) message[name] ??= [];
    for (const name of plan.oneofs) message[name] ??= { case: undefined };
    return message;
  }

  private packed(field: FieldPlan, list: unknown[]): void {
    const end = this.end();
    while (this.at < end) list.push(this.value(field, nestingMax));
    if (this.at !== end) throw unusual;
  }

  private value(field: FieldPlan, depth: number): unknown {
    switch (field.kind) {
      case "message":
        return this.message(field.message(), this.end(), depth + 1);
      case "bytes": {
        const end = this.end();
        const value = this.bytes.subarray(this.at, end);
        this.at = end;
        return value;
      }
      case "text":
        return this.text(this.end());
      case "u64":
      case "i64":
        return this.long(field.kind === "i64");
      case "bool": {
        const value = this.number();
        if (value > 1) throw unusual;
        return value === 1;
      }
      case "s32": {
        const value = this.number();
        return (value >>> 1) ^ -(value & 1);
      }
      case "i32":
        return this.number() | 0;
      case "u32":
        return this.number();
    }
  }

  /** Reads a length: where what has it ends. */
  private end(): number {
    const end = this.number() + this.at;
    if (end > this.bytes.length) throw unusual;
    return end;
  }

  private text(end: number): string {
    const { bytes } = this;
    const start = this.at;
    this.at = end;
    for (let i = start; i < end; i++) {
      if ((bytes[i] as number) >= 0x80) return decoded(bytes.subarray(start, end));
    }
    return binaryText(bytes, start, end);
  }

  /** A number of up to 32 bits in up to five bytes. */
  private number(): number {
    const { bytes } = this;
    let byte = bytes[this.at++];
    if (byte !== undefined && byte < 0x80) return byte;
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (byte === undefined) throw unusual;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      byte = bytes[this.at++];
    }
    if (byte === undefined || byte > 0x0f) throw unusual;
    return (value | (byte << 28)) >>> 0;
  }

  private long(signed: boolean): bigint {
    const { bytes } = this;
    const start = this.at;
    let value = 0;
    for (let factor = 1; this.at - start < 7; factor *= 128) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw unusual;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return BigInt(value);
    }
    // 49 bits so far.
    let high = 0;
    for (let factor = 1; this.at - start < 10; factor *= 128) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw unusual;
      high += (byte & 0x7f) * factor;
      if (byte >= 0x80) continue;
      const whole = (BigInt(high) << 49n) | BigInt(value);
      return signed ? BigInt.asIntN(64, whole) : BigInt.asUintN(64, whole);
    }
    throw unusual;
  }
}

function decoded(bytes: Uint8Array): string {
  const text = utf8Decode(bytes);
  if (text === undefined) throw unusual;
  return text;
}

function listIn(message: Record<string, unknown>, name: string): unknown[] {
  const known = message[name] as unknown[] | undefined;
  if (known !== undefined) return known;
  const list: unknown[] = [];
  message[name] = list;
  return list;
}
