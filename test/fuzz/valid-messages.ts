/** Valid messages of any type, made from its descriptor. */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { utf8 } from "../../src/base/bytes.js";
import type { Random } from "../simulation/random.js";
import { joined, noise, varint } from "./mutate.js";

const depthMax = 6;
const lengths = [0, 1, 16, 32, 32, 64, 64, 200] as const;
const texts = ["", "manager-1", "storage-2", "participant-1", "head-end", "é", "1"] as const;

export function validMessage(random: Random, schema: DescMessage, depth = 0): Uint8Array {
  const chosen = new Set(schema.oneofs.map((oneof) => random.pick(oneof.fields)));
  const parts: Uint8Array[] = [];
  for (const field of schema.fields) {
    if (field.oneof !== undefined ? !chosen.has(field) : random.chance(0.2)) continue;
    const many = field.fieldKind === "list" || field.fieldKind === "map";
    for (let left = many ? random.below(4) : 1; left > 0; left--) {
      parts.push(validField(random, field, depth));
    }
  }
  return joined(parts);
}

function validField(random: Random, field: DescField, depth: number): Uint8Array {
  const delimited = (bytes: Uint8Array) =>
    joined([varint(field.number * 8 + 2), varint(bytes.length), bytes]);
  if (field.fieldKind === "map") {
    return delimited(Uint8Array.of(0x0a, 0x01, 0x61, 0x12, 0x01, random.below(128)));
  }
  if (field.message !== undefined) {
    return depth > depthMax
      ? new Uint8Array()
      : delimited(validMessage(random, field.message, depth + 1));
  }
  switch (field.scalar) {
    case ScalarType.STRING:
      return delimited(utf8(random.pick(texts)));
    case ScalarType.BYTES:
      return delimited(noise(random, random.pick(lengths)));
    case ScalarType.DOUBLE:
      return joined([varint(field.number * 8 + 1), noise(random, 8)]);
    default:
      return joined([varint(field.number * 8), varint(random.pick([0, 1, 2, 7, 2 ** 31]))]);
  }
}
