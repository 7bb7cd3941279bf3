/**
 * Sealing: storage nodes keep records that they cannot read.
 *
 *     record_key = HKDF-SHA-256(epoch_key, salt = empty, info = "bss/v1/seal" ‖ record_hash)
 *     sealed     = AES-256-GCM(record_key, nonce = 0^96, aad = record_hash, record_bytes)
 *                  (the ciphertext ‖ the 16-byte tag)
 *
 * Every record has a key of its own, derived from its hash. So the constant nonce never meets one
 * key twice, and sealing is deterministic: every manager recomputes the sealed bytes instead of
 * trusting the proposer. Managers seal while a record waits in the pool
 * (manager/pool/pool-sealing.ts), or else when a block is executed
 * (ledger/blocks/executed-block.ts).
 *
 * GCM does not commit to its key: somebody who knows two keys can make one ciphertext that opens
 * under both. The record hash does commit, so **whoever unseals must hash the result again** (with
 * the consortium id) and compare it with `recordHash`.
 */
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import { assert } from "../base/assert.js";
import { concatBytes, u64be } from "../base/bytes.js";
import { domain, domainBytes, sha256, sha256Text, taggedHash } from "./hash.js";
import { sealTagBytes } from "./seal-tag.js";

export const epochKeyBytes = 32;

const cipher = "aes-256-gcm";
/**
 * Keys are given as text of one character for each byte, which `encoding` says. Given bytes,
 * Node.js 24 first tries whether they are a key object of either kind, by two exceptions thrown and
 * caught, each with its stack: in a busy manager that took a tenth of the processor time. A
 * `KeyObject` would do as well, and takes a third longer to make.
 */
const gcmOptions = { authTagLength: sealTagBytes, encoding: "binary" } as const;
const zeroNonce = new Uint8Array(12);
const emptySalt = new Uint8Array(0);
const hmacBlockBytes = 64;

/**
 * Seals a record: ciphertext ‖ tag, 16 bytes longer than `recordBytes`. `epochKey` and `recordHash`
 * have 32 bytes.
 */
export function sealRecord(
  epochKey: Uint8Array,
  recordHash: Uint8Array,
  recordBytes: Uint8Array,
): Uint8Array {
  const gcm = createCipheriv(cipher, recordKey(epochKey, recordHash), zeroNonce, gcmOptions);
  gcm.setAAD(recordHash);
  const sealed = roomFor(recordBytes.length + sealTagBytes);
  sealed.set(gcm.update(recordBytes));
  // A stream cipher has nothing left at the end.
  gcm.final();
  sealed.set(gcm.getAuthTag(), recordBytes.length);
  return sealed;
}

/**
 * Sealed records are cut from pieces of memory that they have in common. As an array of its own,
 * each takes memory from the system and a place in lists that every garbage collection goes
 * through, for as long as it waits for its block: with these sealing took nearly twice as long. A
 * piece stays while one of its records does, so it is small.
 */
export const sealPieceBytes = 4_096;
let piece = new Uint8Array(0);
let usedBytes = 0;

function roomFor(length: number): Uint8Array {
  if (length > sealPieceBytes / 8) return new Uint8Array(length);
  if (usedBytes + length > piece.length) {
    piece = new Uint8Array(sealPieceBytes);
    usedBytes = 0;
  }
  usedBytes += length;
  return piece.subarray(usedBytes - length, usedBytes);
}

/**
 * The record's bytes, or undefined when key, hash or sealed bytes are wrong. Check the record hash
 * of the result.
 */
export function unsealRecord(
  epochKey: Uint8Array,
  recordHash: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (epochKey.length !== epochKeyBytes || recordHash.length !== 32) return undefined;
  if (sealed.length < sealTagBytes) return undefined;
  const tagAt = sealed.length - sealTagBytes;
  const gcm = createDecipheriv(cipher, recordKey(epochKey, recordHash), zeroNonce, gcmOptions);
  gcm.setAAD(recordHash);
  gcm.setAuthTag(sealed.subarray(tagAt));
  const bytes = gcm.update(sealed.subarray(0, tagAt));
  try {
    return concatBytes(bytes, gcm.final());
  } catch {
    return undefined;
  }
}

/**
 * The key of one record, as text: HKDF (RFC 5869), written as its HMACs because one block of
 * output needs no more. The first one is the same for all records of an epoch; the second one is
 * written as its two hashes over inputs that are ready but for the record hash. That takes a
 * seventh of the time of two `Hmac` objects, for every record.
 */
function recordKey(epochKey: Uint8Array, recordHash: Uint8Array): string {
  assert(epochKey.length === epochKeyBytes, "an epoch key has 32 bytes");
  assert(recordHash.length === 32, "a record hash has 32 bytes");
  const { inner, outer } = expansionOf(epochKey);
  inner.set(recordHash, inner.length - recordHash.length - 1);
  outer.set(sha256(inner), hmacBlockBytes);
  return sha256Text(outer);
}

/** The inputs of both hashes of the second HMAC; the record hash and the first digest go in. */
type Expansion = { readonly inner: Uint8Array; readonly outer: Uint8Array };

const expansions = new WeakMap<Uint8Array, Expansion>();

/** An epoch key is never written to, so what follows from it is kept with it. */
function expansionOf(epochKey: Uint8Array): Expansion {
  const known = expansions.get(epochKey);
  if (known !== undefined) return known;
  const extracted = createHmac("sha256", emptySalt).update(epochKey).digest();
  const padded = (pad: number) => {
    const block = new Uint8Array(hmacBlockBytes).fill(pad);
    for (const [i, byte] of extracted.entries()) block[i] = byte ^ pad;
    return block;
  };
  const hash = new Uint8Array(32);
  const expansion = {
    inner: concatBytes(padded(0x36), domainBytes(domain.seal), hash, Uint8Array.of(1)),
    outer: concatBytes(padded(0x5c), hash),
  };
  expansions.set(epochKey, expansion);
  return expansion;
}

/**
 * What genesis and rotations publish about an epoch key: SHA-256("bss/v1/epoch" ‖ u64 number ‖
 * key), 32 bytes.
 */
export function epochCommitment(epochNumber: number | bigint, epochKey: Uint8Array): Uint8Array {
  assert(epochKey.length === epochKeyBytes, "an epoch key has 32 bytes");
  return taggedHash(domain.epoch, u64be(epochNumber), epochKey);
}
