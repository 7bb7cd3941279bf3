/**
 * Decoding of bytes that are hashed, signed and kept for ever, with no room for a second reading.
 *
 * Protobuf libraries are generous: they skip unknown fields, let the last of two values win, merge
 * a message that comes twice, take padded integers, and some ignore a wrong wire type. Each of
 * these is a place where a record could carry data that the rules do not see, or where two managers
 * with different libraries could see different things. So the bytes are walked once before they are
 * decoded, and refused unless
 *
 *   - every field is known, has its own wire type, and stands once (repeated fields as often as they like; numbers packed),
 *   - of a oneof at most one member is set,
 *   - integers are in their shortest form and fit their type,
 *   - a length ends within its message, and the last field ends exactly at the end,
 *   - text is UTF-8, without a byte order mark (decoders drop it).
 *
 * The order of fields is free, and a default value may be written out: neither changes the meaning.
 */
import { type DescMessage, fromBinary, type MessageShape, ScalarType } from "@bufbuild/protobuf";
import { assert, defined } from "../base/assert.js";
import { err, ok, type Result } from "../base/result.js";
import { recordBounds, wireProblem } from "./wire-bounds.js";

/**
 * Decodes `bytes` as `schema`; the error says in words what is wrong and in which
 * field. Never throws.
 */
export function strictDecode<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): Result<MessageShape<Desc>, string> {
  const problem = new Walk(bytes).message(layoutOf(schema), bytes.length);
  if (problem !== undefined) return err(problem);
  const excess = wireProblem(schema, bytes, recordBounds);
  if (excess !== undefined) return err(excess.message);
  try {
    return ok(fromBinary(schema, bytes));
  } catch {
    // The walk leaves nothing to object to but text that is not UTF-8.
    return err("text is not UTF-8");
  }
}

const wireVarint = 0;
const wireBytes = 2;
const oneofsMax = 8;

type FieldKind = "u32" | "u64" | "bool" | "bytes" | "text" | "packed-u32" | "message";

type Field = {
  readonly name: string;
  readonly number: number;
  readonly kind: FieldKind;
  readonly repeated: boolean;
  /** Place of the field's oneof in its message; −1 without one. */
  readonly oneof: number;
  readonly schema: DescMessage | undefined;
};

type Layout = { readonly fields: readonly (Field | undefined)[] };

const layouts = new WeakMap<DescMessage, Layout>();

class Walk {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Walks one message up to `end`; returns what is wrong. */
  message(layout: Layout, end: number): string | undefined {
    let seen = 0;
    let oneofsSeen = 0;
    while (this.at < end) {
      const tag = this.shortNumber(end);
      if (tag === undefined) return "a field's tag is cut off or padded";
      const field = layout.fields[tag >>> 3];
      if (field === undefined) return `field ${tag >>> 3} is unknown`;
      const wireType = isVarint(field.kind) ? wireVarint : wireBytes;
      if ((tag & 7) !== wireType) return `${field.name} has wire type ${tag & 7}`;
      const bit = 1 << field.number;
      if (!field.repeated && (seen & bit) !== 0) return `${field.name} is there twice`;
      seen |= bit;
      if (field.oneof >= 0) {
        if ((oneofsSeen & (1 << field.oneof)) !== 0) return `${field.name} excludes another field`;
        oneofsSeen |= 1 << field.oneof;
      }
      const problem = this.value(field, end);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private value(field: Field, end: number): string | undefined {
    if (isVarint(field.kind)) {
      if (this.varint(field.kind, end)) return undefined;
      return `${field.name} is not an integer of its type in its shortest form`;
    }
    const length = this.shortNumber(end);
    if (length === undefined || length > end - this.at) return `${field.name} is cut off`;
    const fieldEnd = this.at + length;
    switch (field.kind) {
      case "message": {
        const schema = defined(field.schema, "a message field has a schema");
        const problem = this.message(layoutOf(schema), fieldEnd);
        return problem === undefined ? undefined : `${field.name}: ${problem}`;
      }
      case "packed-u32":
        while (this.at < fieldEnd) {
          if (!this.varint("u32", fieldEnd)) return `${field.name} holds a wrong integer`;
        }
        return undefined;
      case "text":
        if (this.startsWithByteOrderMark(length)) return `${field.name} has a byte order mark`;
        break;
    }
    this.at = fieldEnd;
    return undefined;
  }

  /** A tag or a length: an integer below 2^31 in its shortest form, or undefined. */
  private shortNumber(end: number): number | undefined {
    const start = this.at;
    if (!this.varint("u32", end)) return undefined;
    let value = 0;
    for (let i = this.at - 1; i >= start; i--) value = value * 128 + (this.byte(i) & 0x7f);
    return value < 2 ** 31 ? value : undefined;
  }

  /** Steps over an integer; false when it does not end in time, is padded or does not fit. */
  private varint(kind: "u32" | "u64" | "bool", end: number): boolean {
    const start = this.at;
    while (this.at < end && this.at - start < 10) {
      const byte = this.byte(this.at);
      this.at += 1;
      if (byte >= 0x80) continue;
      const length = this.at - start;
      if (length > 1 && byte === 0) return false;
      if (kind === "bool") return length === 1 && byte <= 1;
      if (kind === "u32") return length < 5 || (length === 5 && byte <= 0x0f);
      return length < 10 || byte <= 1;
    }
    return false;
  }

  private startsWithByteOrderMark(length: number): boolean {
    if (length < 3 || this.byte(this.at) !== 0xef) return false;
    return this.byte(this.at + 1) === 0xbb && this.byte(this.at + 2) === 0xbf;
  }

  private byte(index: number): number {
    return this.bytes[index] as number;
  }
}

function isVarint(kind: FieldKind): kind is "u32" | "u64" | "bool" {
  return kind === "u32" || kind === "u64" || kind === "bool";
}

function layoutOf(schema: DescMessage): Layout {
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  assert(schema.oneofs.length <= oneofsMax, "a message has few oneofs");
  const fields: (Field | undefined)[] = [];
  for (const field of schema.fields) {
    assert(field.number < 32, "the fields of a message fit the bits of an integer");
    const repeated = field.fieldKind === "list";
    const kind = kindOf(field);
    fields[field.number] = {
      name: field.name,
      number: field.number,
      kind,
      repeated: repeated && kind !== "packed-u32",
      oneof: field.oneof === undefined ? -1 : schema.oneofs.indexOf(field.oneof),
      schema: field.message,
    };
  }
  const layout = { fields };
  layouts.set(schema, layout);
  return layout;
}

function kindOf(field: DescMessage["fields"][number]): FieldKind {
  if (field.message !== undefined) return "message";
  if (field.enum !== undefined) return "u32";
  switch (field.scalar) {
    case ScalarType.STRING:
      return "text";
    case ScalarType.BYTES:
      return "bytes";
    case ScalarType.BOOL:
      return "bool";
    case ScalarType.UINT32:
    case ScalarType.SINT32:
      return field.fieldKind === "list" ? "packed-u32" : "u32";
    case ScalarType.UINT64:
    case ScalarType.INT64:
      assert(field.fieldKind !== "list", "lists of 64-bit integers are not among our messages");
      return "u64";
    default:
      assert(false, `no strict reading of ${field.parent.typeName}.${field.name}`);
  }
}
