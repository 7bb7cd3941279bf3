/**
 * How a block's parts are hashed, and what its creator's VRF proof is over.
 *
 *     entry        = record_hash ‖ seal_digest       64 bytes: a record in the Merkle log
 *     leaf         = SHA-256(0x00 ‖ entry)           RFC 9162 §2.1.1
 *     control_root = RFC 9162 root of the exact bytes of this block's operations
 *     leaves_root  = RFC 9162 root of this block's entries alone
 *     private_root = RFC 9162 root of the exact bytes of this block's private entries
 *     body_digest  = SHA-256("bss/v1/body" ‖ control_root ‖ leaves_root ‖ private_root)
 *     block_id     = SHA-256("bss/v1/block" ‖ header_bytes)
 *     beacon_input = consortium_id ‖ u64 height ‖ beacon of the previous block
 *
 * The three roots stand apart so that a storage node can check the public parts without having seen
 * the private one.
 */
import { concatBytes, u64be } from "../../base/bytes.js";
import { domain, taggedHash } from "../../crypto/hash.js";
import type { Leaf } from "../../gen/bss/v1/block_pb.js";
import { merkleRoot, rootOfLeafHashes } from "../merkle/frontier.js";
import { pairLeafHash } from "../merkle/nodes.js";

/** What a leaf consists of: record hash and seal digest, 32 bytes each. */
type LeafParts = Pick<Leaf, "recordHash" | "sealDigest">;

/** The three roots of a block's body, 32 bytes each. */
export type BodyRoots = {
  readonly controlRoot: Uint8Array;
  readonly leavesRoot: Uint8Array;
  readonly privateRoot: Uint8Array;
};

/** block_id of the exact bytes of a ManagerBlockHeader, 32 bytes. */
export function blockId(headerBytes: Uint8Array): Uint8Array {
  return taggedHash(domain.block, headerBytes);
}

/**
 * A leaf as `create(LeafSchema, …)` makes it, without the way there, which costs more than the hash
 * of the leaf: blocks have thousands.
 */
export function leafOf(recordHash: Uint8Array, sealDigest: Uint8Array): Leaf {
  return { $typeName: "bss.v1.Leaf", recordHash, sealDigest };
}

/** The Merkle log's leaf of a record, 32 bytes. */
export function leafHashOf({ recordHash, sealDigest }: LeafParts): Uint8Array {
  return pairLeafHash(recordHash, sealDigest);
}

/** Root over the exact bytes of each control operation, 32 bytes. */
export function controlRoot(control: readonly Uint8Array[]): Uint8Array {
  return merkleRoot(control);
}

/** Root over a block's own leaves, 32 bytes. */
export function leavesRoot(leaves: readonly LeafParts[]): Uint8Array {
  return rootOfLeafHashes(leaves.map(leafHashOf));
}

/** Root over the exact bytes of each private entry, 32 bytes. */
export function privateRoot(privateEntries: readonly Uint8Array[]): Uint8Array {
  return merkleRoot(privateEntries);
}

/** body_digest, 32 bytes. */
export function bodyDigest(roots: BodyRoots): Uint8Array {
  return taggedHash(domain.body, roots.controlRoot, roots.leavesRoot, roots.privateRoot);
}

/** certificates_digest of the exact bytes of the previous block's certificates, 32 bytes. */
export function certificatesDigest(previousCertificates: Uint8Array): Uint8Array {
  return taggedHash(domain.certificates, previousCertificates);
}

/**
 * What a block's creator proves with its VRF key. It holds nothing that the creator can choose, so
 * the creator cannot try one block after the other until the committee suits it.
 */
export function beaconInput({
  consortiumId,
  height,
  previousBeacon,
}: {
  /** 32 bytes. */
  readonly consortiumId: Uint8Array;
  /** Of the new block. */
  readonly height: number;
  /** 64 bytes. */
  readonly previousBeacon: Uint8Array;
}): Uint8Array {
  return concatBytes(consortiumId, u64be(height), previousBeacon);
}
