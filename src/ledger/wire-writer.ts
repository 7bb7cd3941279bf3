/**
 * Writes messages along their plans (wire-plan.ts): first it measures them, then it fills an array
 * of that length. protobuf-es makes an array of each part instead, and joins these.
 */
import { assert } from "../base/assert.js";
import type { FieldPlan, MessagePlan } from "./wire-plan.js";

type Values = Readonly<Record<string, unknown>>;

/** The message is not as usual, and protobuf-es has to write it. Nobody sees this error. */
const unusual = new Error("not as usual");
const nestingMax = 32;
const textEncoder = new TextEncoder();

/**
 * Lengths of what is written behind its length, in the order in which they are needed: measuring
 * notes them, and writing takes them. Nothing else runs between the two.
 */
const lengths: number[] = [];
let noted = 0;
let taken = 0;

function note(length: number): number {
  lengths[noted] = length;
  noted += 1;
  return noted - 1;
}

/** How long a message becomes; −1 if it is not as usual. `write` has to come next. */
export function measure(plan: MessagePlan, message: unknown): number {
  noted = 0;
  taken = 0;
  if (lengths.length > keptLengthsMax) lengths.length = keptLengthsMax;
  try {
    return messageLength(plan, message, 1);
  } catch (error) {
    if (error !== unusual) throw error;
    return -1;
  }
}

const keptLengthsMax = 4_096;

type OneofValue = { readonly case: string | undefined; readonly value?: unknown };

function messageLength(plan: MessagePlan, message: unknown, depth: number): number {
  if (typeof message !== "object" || message === null || depth > nestingMax) throw unusual;
  const values = message as Values;
  const { $typeName: typeName, $unknown: unknown } = values;
  // What `create` takes has no name, and may leave fields out; what it gives has both.
  const whole = typeName !== undefined;
  if ((whole && typeName !== plan.typeName) || unknown !== undefined) throw unusual;
  let length = 0;
  for (const { name, field, cases } of plan.slots) {
    const value = values[name];
    if (value === undefined || value === null) {
      if (whole && (value === null || field === undefined || field.implicit)) throw unusual;
    } else if (field !== undefined) {
      length += fieldLength(field, value, depth);
    } else {
      const { case: given, value: member } = value as OneofValue;
      if (given === undefined) continue;
      const chosen = cases?.get(given);
      if (chosen !== undefined) length += fieldLength(chosen, member, depth);
      else if (!plan.oneofCases.has(given)) throw unusual;
    }
  }
  return length;
}

function fieldLength(field: FieldPlan, value: unknown, depth: number): number {
  if (!field.list) {
    if (field.implicit && isZero(value)) return 0;
    return numberLength(field.tag) + valueLength(field, value, depth);
  }
  if (!Array.isArray(value)) throw unusual;
  if (value.length === 0) return 0;
  if (!field.packed) {
    let length = numberLength(field.tag) * value.length;
    for (const each of value) length += valueLength(field, each, depth);
    return length;
  }
  const place = note(0);
  let length = 0;
  for (const each of value) length += valueLength(field, each, depth);
  lengths[place] = length;
  return numberLength(field.tag) + numberLength(length) + length;
}

/** Of a value that has the type of its field; what has not is found out by its length. */
function isZero(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === 0 || value === 0n || value === "" || value === false;
}

/** With the length that stands before it, if one does. */
function valueLength(field: FieldPlan, value: unknown, depth: number): number {
  switch (field.kind) {
    case "message": {
      const place = note(0);
      const length = messageLength(field.message(), value, depth + 1);
      lengths[place] = length;
      return numberLength(length) + length;
    }
    case "bytes":
      if (!(value instanceof Uint8Array)) throw unusual;
      return numberLength(value.length) + value.length;
    case "text": {
      if (typeof value !== "string") throw unusual;
      const length = textLength(value);
      note(length);
      return numberLength(length) + length;
    }
    case "u64":
    case "i64":
      return longLength(value, field.kind === "i64");
    case "bool":
      if (typeof value !== "boolean") throw unusual;
      return 1;
    case "s32":
      if (typeof value !== "number" || (value | 0) !== value) throw unusual;
      return numberLength(zigzag(value));
    case "i32":
      // A negative one takes ten bytes.
      if (typeof value !== "number" || (value | 0) !== value || value < 0) throw unusual;
      return numberLength(value);
    case "u32":
      if (typeof value !== "number" || value >>> 0 !== value) throw unusual;
      return numberLength(value);
  }
}

function numberLength(value: number): number {
  if (value < 2 ** 7) return 1;
  if (value < 2 ** 14) return 2;
  if (value < 2 ** 21) return 3;
  return value < 2 ** 28 ? 4 : 5;
}

function longLength(value: unknown, signed: boolean): number {
  if (typeof value !== "bigint") throw unusual;
  const number = Number(value);
  if (number >= 0 && number < 2 ** 28) return numberLength(number);
  if (number >= 0 && Number.isSafeInteger(number)) {
    return 4 + numberLength(Math.floor(number / 2 ** 28));
  }
  const fits = signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  if (fits !== value) throw unusual;
  let length = 0;
  for (let rest = BigInt.asUintN(64, value); rest > 0n; rest >>= 7n) length += 1;
  return length;
}

function textLength(text: string): number {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) >= 0x80) return Buffer.byteLength(text, "utf8");
  }
  return text.length;
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

/** Fills `out`, which has the length that was measured. */
export function write(plan: MessagePlan, message: unknown, out: Uint8Array): void {
  const writer = new Writer(out);
  writer.message(plan, message as Values);
  assert(writer.written === out.length, "a message is as long as it was measured");
}

class Writer {
  private readonly out: Uint8Array;
  private at = 0;

  constructor(out: Uint8Array) {
    this.out = out;
  }

  get written(): number {
    return this.at;
  }

  message(plan: MessagePlan, values: Values): void {
    for (const { name, field, cases } of plan.slots) {
      const value = values[name];
      if (value === undefined || value === null) continue;
      if (field !== undefined) {
        this.field(field, value);
      } else {
        const { case: given, value: member } = value as OneofValue;
        const chosen = given === undefined ? undefined : cases?.get(given);
        if (chosen !== undefined) this.field(chosen, member);
      }
    }
  }

  private field(field: FieldPlan, value: unknown): void {
    if (!field.list) {
      if (field.implicit && isZero(value)) return;
      this.number(field.tag);
      this.value(field, value);
      return;
    }
    const list = value as readonly unknown[];
    if (list.length === 0) return;
    if (field.packed) {
      this.number(field.tag);
      this.length();
    }
    for (const each of list) {
      if (!field.packed) this.number(field.tag);
      this.value(field, each);
    }
  }

  private value(field: FieldPlan, value: unknown): void {
    switch (field.kind) {
      case "message":
        this.length();
        this.message(field.message(), value as Values);
        return;
      case "bytes": {
        const bytes = value as Uint8Array;
        this.number(bytes.length);
        this.out.set(bytes, this.at);
        this.at += bytes.length;
        return;
      }
      case "text":
        this.text(value as string, this.length());
        return;
      case "u64":
      case "i64":
        this.long(value as bigint);
        return;
      case "bool":
        this.number(value === true ? 1 : 0);
        return;
      case "s32":
        this.number(zigzag(value as number));
        return;
      case "i32":
      case "u32":
        this.number(value as number);
        return;
    }
  }

  private length(): number {
    const length = lengths[taken] as number;
    taken += 1;
    this.number(length);
    return length;
  }

  private text(text: string, length: number): void {
    const { out, at } = this;
    if (length !== text.length || length > loopedTextMax) {
      textEncoder.encodeInto(text, out.subarray(at, at + length));
    } else {
      for (let i = 0; i < length; i++) out[at + i] = text.charCodeAt(i);
    }
    this.at += length;
  }

  private number(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.out[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.out[this.at++] = rest;
  }

  private long(value: bigint): void {
    const number = Number(value);
    if (number >= 0 && number < 2 ** 32) {
      this.number(number);
      return;
    }
    if (number >= 0 && Number.isSafeInteger(number)) {
      let low = number % 2 ** 28;
      for (let i = 0; i < 4; i++) {
        this.out[this.at++] = (low & 0x7f) | 0x80;
        low >>>= 7;
      }
      this.number(Math.floor(number / 2 ** 28));
      return;
    }
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) this.out[this.at++] = Number(rest & 0x7fn) | 0x80;
    this.out[this.at++] = Number(rest);
  }
}

/** Up to here a loop is faster than a call of what is not JavaScript. */
const loopedTextMax = 64;
