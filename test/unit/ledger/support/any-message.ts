/** Any message of the API and the store, for tests that hold our code to protobuf-es. */
import { type DescField, type DescFile, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import fc from "fast-check";
import { file_bss_store_v1_head } from "../../../../src/gen/bss/store/v1/head_pb.js";
import { file_bss_store_v1_identity } from "../../../../src/gen/bss/store/v1/identity_pb.js";
import { file_bss_store_v1_signer } from "../../../../src/gen/bss/store/v1/signer_pb.js";
import { file_bss_store_v1_state } from "../../../../src/gen/bss/store/v1/state_pb.js";
import { file_bss_store_v1_storage } from "../../../../src/gen/bss/store/v1/storage_pb.js";
import { file_bss_store_v1_voting } from "../../../../src/gen/bss/store/v1/voting_pb.js";
import { file_bss_v1_block } from "../../../../src/gen/bss/v1/block_pb.js";
import { file_bss_v1_broadcast } from "../../../../src/gen/bss/v1/broadcast_pb.js";
import { file_bss_v1_canonical } from "../../../../src/gen/bss/v1/canonical_pb.js";
import { file_bss_v1_genesis } from "../../../../src/gen/bss/v1/genesis_pb.js";
import { file_bss_v1_governance } from "../../../../src/gen/bss/v1/governance_pb.js";
import { file_bss_v1_members } from "../../../../src/gen/bss/v1/members_pb.js";
import { file_bss_v1_query } from "../../../../src/gen/bss/v1/query_pb.js";
import { file_bss_v1_record } from "../../../../src/gen/bss/v1/record_pb.js";
import { file_bss_v1_registration } from "../../../../src/gen/bss/v1/registration_pb.js";
import { file_bss_v1_verify_integrity } from "../../../../src/gen/bss/v1/verify_integrity_pb.js";
import { file_bss_v1_vote } from "../../../../src/gen/bss/v1/vote_pb.js";

const files: readonly DescFile[] = [
  file_bss_store_v1_head,
  file_bss_store_v1_identity,
  file_bss_store_v1_signer,
  file_bss_store_v1_state,
  file_bss_store_v1_storage,
  file_bss_store_v1_voting,
  file_bss_v1_block,
  file_bss_v1_broadcast,
  file_bss_v1_canonical,
  file_bss_v1_genesis,
  file_bss_v1_governance,
  file_bss_v1_members,
  file_bss_v1_query,
  file_bss_v1_record,
  file_bss_v1_registration,
  file_bss_v1_verify_integrity,
  file_bss_v1_vote,
];
export const schemas = files.flatMap(({ messages }) => messages);

export type Init = Record<string, unknown>;

/** Any values of a message, as `create` takes them. */
export function valuesOf(schema: DescMessage, depth = 0): fc.Arbitrary<Init> {
  const members = schema.members.map((member): [string, fc.Arbitrary<unknown>] => {
    if (member.kind === "field") return [member.localName, fieldValue(member, depth)];
    const cases = member.fields.map((field) =>
      fc.record({ case: fc.constant(field.localName), value: fieldValue(field, depth) }),
    );
    return [member.localName, fc.oneof(fc.constant({ case: undefined }), ...cases)];
  });
  return fc.record(Object.fromEntries(members), { requiredKeys: [] });
}

function fieldValue(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const one = oneOf(field, depth);
  switch (field.fieldKind) {
    case "list":
      return fc.array(one, { maxLength: 3 });
    case "map":
      return fc.dictionary(fc.string(), one, { maxKeys: 2, noNullPrototype: true });
    default:
      return one;
  }
}

function oneOf(field: DescField, depth: number): fc.Arbitrary<unknown> {
  if (field.message !== undefined) {
    return depth < 3 ? valuesOf(field.message, depth + 1) : fc.constant({});
  }
  if (field.enum !== undefined) return fc.constantFrom(0, 1, 2, 5, 300, -1);
  switch (field.scalar) {
    case ScalarType.STRING:
      return fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constant("a".repeat(200)));
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 150 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.UINT32:
      return fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    case ScalarType.UINT64:
      return fc.oneof(fc.nat(300).map(BigInt), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
    case ScalarType.INT64:
      return fc.oneof(
        fc.nat(300).map(BigInt),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      );
    case ScalarType.DOUBLE:
      return fc.double();
    default:
      return fc.oneof(fc.constantFrom(0, -1, 1), fc.integer());
  }
}
