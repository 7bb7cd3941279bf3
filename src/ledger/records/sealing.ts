/**
 * The step from a record that managers read to a leaf and sealed bytes that storage nodes keep
 * without reading them.
 */
import { create } from "@bufbuild/protobuf";
import { sha256 } from "../../crypto/hash.js";
import { sealRecord } from "../../crypto/seal.js";
import { type Leaf, LeafSchema } from "../../gen/bss/v1/block_pb.js";
import type { ParsedRecord } from "./records.js";

/**
 * Seals a record under an epoch key (32 bytes). Deterministic: every manager comes to the same
 * leaf and bytes.
 */
export function sealLeaf(
  epochKey: Uint8Array,
  record: ParsedRecord,
): { readonly leaf: Leaf; readonly sealed: Uint8Array } {
  const sealed = sealRecord(epochKey, record.hash, record.bytes);
  const leaf = create(LeafSchema, { recordHash: record.hash, sealDigest: sha256(sealed) });
  return { leaf, sealed };
}
