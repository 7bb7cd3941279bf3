/**
 * Messages as tables, made once from their descriptors: what the strict reader (strict-decode.ts)
 * and the writer (canonical-encode.ts) have to know of each field, without asking protobuf-es.
 */
import { create, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { assert, defined } from "../base/assert.js";
import { emptyBytes } from "../base/bytes.js";

/** EXPLICIT of google.protobuf.FeatureSet.FieldPresence, whose generated code is large. */
const explicitPresence = 1;
export const wireVarint = 0;
export const wireBytes = 2;
const oneofsMax = 8;
/** The fields of a message fit the bits of an integer. */
const fieldsMax = 32;

type NumberKind = "u32" | "s32" | "enum" | "u64" | "s64" | "bool";
export type FieldKind = NumberKind | "bytes" | "text" | "message";

export type Field = {
  readonly name: string;
  readonly localName: string;
  readonly number: number;
  readonly kind: FieldKind;
  readonly wireType: number;
  /** A list of numbers, in one piece. */
  readonly isPacked: boolean;
  /** A list of anything else: the field stands once for each. */
  readonly isRepeated: boolean;
  readonly oneof: Oneof | undefined;
  readonly schema: DescMessage | undefined;
};

export type Oneof = { readonly localName: string; readonly bit: number };

export type PlainMessage = { [localName: string]: unknown };

export type Layout = {
  /** By their numbers. */
  readonly fields: readonly (Field | undefined)[];
  /** Those that there are, the highest number first. */
  readonly descending: readonly Field[];
  /** The message without fields, for all that cannot be changed in it. */
  readonly blank: PlainMessage;
  readonly oneofs: readonly Oneof[];
  readonly lists: readonly string[];
};

const layouts = new WeakMap<DescMessage, Layout>();

const known = new WeakMap<DescMessage, boolean>();

/** Whether a layout says all that can be in such a message. */
export function hasLayout(schema: DescMessage): boolean {
  const before = known.get(schema);
  if (before !== undefined) return before;
  // For messages that refer to each other in a ring, until it is known.
  known.set(schema, false);
  const isSo = schema.oneofs.length <= oneofsMax && schema.fields.every(hasPlace);
  known.set(schema, isSo);
  return isSo;
}

function hasPlace(field: DescField): boolean {
  if (field.fieldKind === "map" || field.number >= fieldsMax || isOptional(field)) return false;
  if (field.message !== undefined) return hasLayout(field.message);
  if (field.enum !== undefined) return field.fieldKind !== "list";
  return kindOf(field) !== undefined;
}

/** Whether a value that is its type's default differs from none. */
function isOptional({ fieldKind, oneof, presence }: DescField): boolean {
  const isValue = fieldKind === "scalar" || fieldKind === "enum";
  return isValue && oneof === undefined && presence === explicitPresence;
}

export function layoutOf(schema: DescMessage): Layout {
  const known = layouts.get(schema);
  if (known !== undefined) return known;
  assert(schema.oneofs.length <= oneofsMax, "a message has few oneofs");
  const blank: PlainMessage = { ...create(schema) };
  const oneofs = schema.oneofs.map(({ localName }, i) => ({ localName, bit: 1 << i }));
  const fields: (Field | undefined)[] = [];
  const lists: string[] = [];
  for (const field of schema.fields) {
    const { name, localName, number } = field;
    assert(hasPlace(field), `no layout has ${schema.typeName}.${name}`);
    const kind = defined(kindOf(field), "it has a place");
    const isList = field.fieldKind === "list";
    const isNumber = kind !== "bytes" && kind !== "text" && kind !== "message";
    const isPacked = isList && isNumber;
    if (isList) lists.push(localName);
    if (kind === "bytes" && !isList && field.oneof === undefined) blank[localName] = emptyBytes;
    fields[number] = {
      name,
      localName,
      number,
      kind,
      wireType: isNumber && !isPacked ? wireVarint : wireBytes,
      isPacked,
      isRepeated: isList && !isPacked,
      oneof: field.oneof && oneofs[schema.oneofs.indexOf(field.oneof)],
      schema: field.message,
    };
  }
  const descending = fields.filter((field) => field !== undefined).reverse();
  const layout = { fields, descending, blank, oneofs, lists };
  layouts.set(schema, layout);
  return layout;
}

function kindOf(field: DescField): FieldKind | undefined {
  if (field.message !== undefined) return "message";
  if (field.enum !== undefined) return "enum";
  switch (field.scalar) {
    case ScalarType.STRING:
      return "text";
    case ScalarType.BYTES:
      return "bytes";
    case ScalarType.BOOL:
      return "bool";
    case ScalarType.UINT32:
      return "u32";
    case ScalarType.SINT32:
      return "s32";
    // Lists of them are not among our messages.
    case ScalarType.UINT64:
      return field.fieldKind === "list" ? undefined : "u64";
    case ScalarType.INT64:
      return field.fieldKind === "list" ? undefined : "s64";
    default:
      return undefined;
  }
}
