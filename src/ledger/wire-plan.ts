/**
 * How messages of one type are read and written: what wire-codec.ts needs of a descriptor, worked
 * out once. protobuf-es asks the descriptor for each field of each message anew.
 *
 * There are plans for what the API is made of: proto3, numbers as varints, text, bytes, messages,
 * lists and oneofs. Types with maps, floating-point numbers or anything else have none, nor have
 * those that hold such a type; protobuf-es reads and writes these.
 */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { emptyBytes } from "../base/bytes.js";

export const wireVarint = 0;
export const wireBytes = 2;

export type FieldKind =
  | "u32"
  | "i32"
  | "s32"
  | "u64"
  | "i64"
  | "bool"
  | "bytes"
  | "text"
  | "message";

export type FieldPlan = {
  /** The property of the message, or of a oneof the name of its case. */
  readonly name: string;
  readonly kind: FieldKind;
  readonly wireType: number;
  /** With its wire type as it is written: packed, if it is a list of numbers. */
  readonly tag: number;
  readonly list: boolean;
  /** A list of numbers, which is written packed. */
  readonly packed: boolean;
  /** The property of the oneof to which it belongs. */
  readonly oneof: string | undefined;
  /** Written only if it is not zero; others are written if they are there. */
  readonly implicit: boolean;
  /** Of the messages in it. */
  readonly message: () => MessagePlan;
};

/** What stands at one place in the order of fields: a field, or those of a oneof. */
export type Slot = {
  readonly name: string;
  readonly field: FieldPlan | undefined;
  /** Of a oneof: its fields by the name of their case. */
  readonly cases: ReadonlyMap<string, FieldPlan> | undefined;
};

export type MessagePlan = {
  readonly typeName: string;
  readonly byNumber: readonly (FieldPlan | undefined)[];
  /** In the order of numbers. */
  readonly slots: readonly Slot[];
  /**
   * A message in which nothing is set. Lists and oneofs are undefined, as each message has its own;
   * the empty bytes are the same array for all.
   */
  readonly zero: Readonly<Record<string, unknown>>;
  readonly lists: readonly string[];
  readonly oneofs: readonly string[];
  /** Every case of these. */
  readonly oneofCases: ReadonlySet<string>;
};

const plans = new WeakMap<DescMessage, MessagePlan | undefined>();

/** Undefined when the message, or one within it, needs what plans do not have. */
export function planOf(schema: DescMessage): MessagePlan | undefined {
  if (!plans.has(schema)) plans.set(schema, makePlan(schema));
  return plans.get(schema);
}

function makePlan(schema: DescMessage): MessagePlan | undefined {
  if (!isPlain(schema, new Set())) return undefined;
  const fields = [...schema.fields].sort((a, b) => a.number - b.number);
  const byNumber: (FieldPlan | undefined)[] = [];
  const slots: Slot[] = [];
  const cases = new Map<string, FieldPlan>();
  for (const [i, field] of fields.entries()) {
    const plan = fieldPlan(field);
    byNumber[field.number] = plan;
    if (field.oneof === undefined) {
      slots.push({ name: plan.name, field: plan, cases: undefined });
      continue;
    }
    cases.set(plan.name, plan);
    if (fields[i + 1]?.oneof === field.oneof) continue;
    slots.push({ name: field.oneof.localName, field: undefined, cases: new Map(cases) });
    cases.clear();
  }
  const lists = schema.fields.filter((field) => field.fieldKind === "list");
  return {
    typeName: schema.typeName,
    byNumber,
    slots,
    zero: zeroOf(schema),
    lists: lists.map(({ localName }) => localName),
    oneofs: schema.oneofs.map(({ localName }) => localName),
    oneofCases: new Set(schema.oneofs.flatMap((each) => each.fields.map((f) => f.localName))),
  };
}

function fieldPlan(field: DescField): FieldPlan {
  const kind = kindOf(field) as FieldKind;
  const list = field.fieldKind === "list";
  const wireType = kind === "bytes" || kind === "text" || kind === "message" ? 2 : 0;
  const packed = list && field.packed;
  const { message } = field;
  let plan: MessagePlan | undefined;
  return {
    name: field.localName,
    kind,
    wireType,
    tag: (field.number << 3) | (packed ? wireBytes : wireType),
    list,
    packed,
    oneof: field.oneof?.localName,
    implicit: isImplicit(field),
    // Asked for when it is needed, as messages may refer to each other in rings.
    message: () => {
      plan ??= message && planOf(message);
      if (plan === undefined) throw new TypeError(`${field} holds no message with a plan`);
      return plan;
    },
  };
}

/** In the order in which protobuf-es sets the members of a new message. */
function zeroOf(schema: DescMessage): Record<string, unknown> {
  const zero: Record<string, unknown> = { $typeName: schema.typeName };
  for (const member of schema.members) {
    if (member.kind === "oneof") zero[member.localName] = undefined;
    else if (isImplicit(member)) zero[member.localName] = zeroValue(member);
  }
  return zero;
}

function zeroValue(field: DescField): unknown {
  if (field.fieldKind === "list") return undefined;
  switch (kindOf(field)) {
    case "text":
      return "";
    case "bytes":
      return emptyBytes;
    case "bool":
      return false;
    case "u64":
    case "i64":
      return 0n;
    default:
      return 0;
  }
}

function isImplicit(field: DescField): boolean {
  return field.presence === FeatureSet_FieldPresence.IMPLICIT;
}

const proto3 = 999;
/** Fields are found by their number in an array. */
const numbersMax = 256;

function isPlain(schema: DescMessage, above: Set<DescMessage>): boolean {
  if (above.has(schema)) return true;
  above.add(schema);
  return (
    schema.file.edition === proto3 &&
    !schema.typeName.startsWith("google.protobuf.") &&
    schema.fields.every(
      (field) =>
        field.number < numbersMax &&
        kindOf(field) !== undefined &&
        (field.message === undefined || isPlain(field.message, above)),
    )
  );
}

function kindOf(field: DescField): FieldKind | undefined {
  if (field.fieldKind === "map") return undefined;
  if (field.message !== undefined) return field.delimitedEncoding ? undefined : "message";
  if (field.enum !== undefined) {
    return field.enum.open && field.enum.values[0]?.number === 0 ? "i32" : undefined;
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      return field.utf8Validation ? "text" : undefined;
    case ScalarType.BYTES:
      return "bytes";
    case ScalarType.BOOL:
      return "bool";
    case ScalarType.UINT32:
      return "u32";
    case ScalarType.INT32:
      return "i32";
    case ScalarType.SINT32:
      return "s32";
    case ScalarType.UINT64:
      return field.longAsString ? undefined : "u64";
    case ScalarType.INT64:
      return field.longAsString ? undefined : "i64";
    default:
      return undefined;
  }
}
