/**
 * Records: the unit of data.
 *
 * A record is kept as the bytes that its owner made; protobuf has no canonical form, so nothing
 * here encodes a record again.
 *
 *     record_hash = SHA-256("bss/v1/record" ‖ consortium_id ‖ record_bytes)
 *
 * `parseRecord` settles everything that follows from the bytes alone: length, shape, ids, and
 * integers that the code can hold without loss. What depends on the ledger or on the block's time
 * is left to the rules. A parsed record can therefore be asked for the state that its rules will
 * read (state/effects.ts) before any rule has run.
 */
import { toHex } from "../../base/bytes.js";
import { ok, type Result } from "../../base/result.js";
import { sha256 } from "../../crypto/hash.js";
import { sealRecord } from "../../crypto/seal.js";
import type { Leaf } from "../../gen/bss/v1/block_pb.js";
import type { Policy } from "../../gen/bss/v1/genesis_pb.js";
import { type Record, RecordSchema } from "../../gen/bss/v1/record_pb.js";
import { leafHashOf, leafOf } from "../blocks/block-hashes.js";
import { isId } from "../ids.js";
import type { RecordOf } from "../kinds/kind.js";
import { meterIdsOf, type Payload, parsePayload, partiesOf } from "../kinds/kinds.js";
import { strictDecode } from "../strict-decode.js";
import { refuse, type Violation } from "../violation.js";
import { recordHash, recordHashBytes } from "./record-hash.js";

export const saltBytes = 16;

const timeMsMax = BigInt(Number.MAX_SAFE_INTEGER);

export type ParsedRecord = RecordOf<Payload>;

/**
 * Parses the exact bytes of a record. Refuses with RECORD_TOO_LARGE, RECORD_MALFORMED or
 * TIME_INVALID, and as the record's kind does. `policy` gives the length limit and the delivery
 * intervals.
 */
export function parseRecord(
  consortiumId: Uint8Array,
  bytes: Uint8Array,
  policy: Policy,
): Result<ParsedRecord, Violation> {
  if (bytes.length > policy.recordBytesMax) {
    return refuse(
      "RECORD_TOO_LARGE",
      `A record has ${bytes.length} bytes, at most ${policy.recordBytesMax} are allowed.`,
    );
  }
  const decoded = strictDecode(RecordSchema, bytes);
  if (!decoded.ok) {
    return refuse("RECORD_MALFORMED", `A record does not decode: ${decoded.error}.`);
  }
  const record = decoded.value;
  const shape = checkShape(record);
  if (!shape.ok) return shape;
  const payload = parsePayload(record, { ownerId: record.ownerId, grid: policy });
  if (!payload.ok) return payload;
  const hash = recordHash(consortiumId, bytes);
  return ok({
    hash,
    hashHex: toHex(hash),
    bytes,
    salt: record.salt,
    ownerId: record.ownerId,
    timeMs: Number(record.timeUnixMs),
    payload: payload.value,
    parties: partiesOf(record),
    meterIds: meterIdsOf(record),
    ...(record.parent.length > 0 ? { parent: record.parent } : {}),
  });
}

/** A record sealed under the epoch key, with its place in the Merkle log but for the position. */
export type SealedLeaf = {
  readonly leaf: Leaf;
  /** 32 bytes: RFC 9162 leaf hash. */
  readonly leafHash: Uint8Array;
  /** What storage nodes keep without reading it. */
  readonly sealed: Uint8Array;
};

/** What has been sealed before. */
export type KnownSeals = {
  /** By record hash in hex: what `sealLeaf` made of the record under the epoch key. */
  sealed(hashHex: string): SealedLeaf | undefined;
};

/**
 * Seals a record under an epoch key (32 bytes). It follows from the record's bytes alone, so every
 * manager comes to the same leaf and bytes, and needs to do it once.
 */
export function sealLeaf(
  epochKey: Uint8Array,
  record: Pick<ParsedRecord, "hash" | "bytes">,
): SealedLeaf {
  const sealed = sealRecord(epochKey, record.hash, record.bytes);
  const leaf = leafOf(record.hash, sha256(sealed));
  return { leaf, leafHash: leafHashOf(leaf), sealed };
}

function checkShape(record: Record): Result<undefined, Violation> {
  if (!isId(record.ownerId)) {
    return refuse("RECORD_MALFORMED", "The owner id is not an id.", "owner_id");
  }
  if (record.parent.length !== 0 && record.parent.length !== recordHashBytes) {
    return refuse("RECORD_MALFORMED", "A parent is a hash of 32 bytes.", "parent");
  }
  if (record.timeUnixMs > timeMsMax || record.timeUnixMs < -timeMsMax) {
    return refuse("TIME_INVALID", "The time is out of range.", "time_unix_ms");
  }
  return ok(undefined);
}
