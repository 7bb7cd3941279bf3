/**
 * Long lists of blocks on their way into bytes. The library encodes an element of a list as a
 * message or field of its own, with several small arrays for each, and blocks have thousands: that
 * took more of a manager's time than the rules. So a list is written into one array here and stands
 * in its message as a field that is encoded already, behind the others. Whoever decodes the bytes
 * finds the list as always. What is made here is only to be encoded: its lists look empty.
 */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { assert, defined } from "../../base/assert.js";
import { putVarint, varintBytes } from "../../base/varint.js";
import { hashBytes } from "../../crypto/hash.js";
import {
  type Block,
  BlockSchema,
  type Leaf,
  LeafSchema,
  type ManagerBlock,
  ManagerBlockSchema,
} from "../../gen/bss/v1/block_pb.js";

/** As the library keeps fields that a schema does not have: `data` is all behind the first tag. */
type EncodedField = { readonly no: number; readonly wireType: 2; readonly data: Uint8Array };

/** The one for fields with a length in front. */
const wireType = 2;
/** Tags of fields below 16 have one byte, as have lengths below 128. */
const shortFieldMax = 15;

/** A block in a message that is about to be encoded. */
export function blockToEncode(block: Block): Block {
  const { leaves } = block;
  if (leaves.length === 0) return block;
  return { ...block, leaves: [], $unknown: [leavesField(leaves)] };
}

export function managerBlockToEncode(whole: ManagerBlock): ManagerBlock {
  const { block, records, ...rest } = whole;
  if (block === undefined) return whole;
  const bare = { ...rest, block: blockToEncode(block), records: [] };
  return withList(ManagerBlockSchema, bare, "records", records);
}

/** A message without the list `name` of byte strings, and what it is to hold. */
export function withList<Desc extends DescMessage>(
  schema: Desc,
  bare: MessageShape<Desc>,
  name: keyof Desc["field"] & string,
  values: readonly Uint8Array[],
): MessageShape<Desc> {
  if (values.length === 0) return bare;
  return { ...bare, $unknown: [listField(numberOf(schema, name), values)] };
}

function listField(no: number, values: readonly Uint8Array[]): EncodedField {
  let length = values.length - 1;
  for (const value of values) length += varintBytes(value.length) + value.length;
  const data = new Uint8Array(length);
  let at = 0;
  for (const value of values) {
    if (at > 0) data[at++] = tagOf(no);
    at = putVarint(data, at, value.length);
    data.set(value, at);
    at += value.length;
  }
  return { no, wireType, data };
}

const leafBytes = 2 * (2 + hashBytes);

function leavesField(leaves: readonly Leaf[]): EncodedField {
  const no = numberOf(BlockSchema, "leaves");
  const recordHashTag = tagOf(numberOf(LeafSchema, "recordHash"));
  const sealDigestTag = tagOf(numberOf(LeafSchema, "sealDigest"));
  const data = new Uint8Array(leaves.length * (2 + leafBytes) - 1);
  let at = 0;
  for (const { recordHash, sealDigest } of leaves) {
    assert(
      recordHash.length === hashBytes && sealDigest.length === hashBytes,
      "a leaf of a block that was judged is two hashes",
    );
    if (at > 0) data[at++] = tagOf(no);
    data[at++] = leafBytes;
    at = putHash(data, at, recordHashTag, recordHash);
    at = putHash(data, at, sealDigestTag, sealDigest);
  }
  return { no, wireType, data };
}

function putHash(data: Uint8Array, at: number, tag: number, hash: Uint8Array): number {
  data[at] = tag;
  data[at + 1] = hashBytes;
  data.set(hash, at + 2);
  return at + 2 + hashBytes;
}

function numberOf<Desc extends DescMessage>(
  schema: Desc,
  name: keyof Desc["field"] & string,
): number {
  const { number } = defined(schema.field[name], "a field of the message");
  assert(number <= shortFieldMax, "the tag of a list has one byte");
  return number;
}

function tagOf(no: number): number {
  return (no << 3) | wireType;
}
