/**
 * Hashing, and the one table of every domain tag.
 *
 * A hash that is signed or compared says what it is a hash *of*: SHA-256(tag ‖ parts). Without the
 * tag, bytes that mean a vote in one place could be shown as a block in another, under the same
 * valid signature. Two conditions make that hold:
 *
 * 1. No tag that is hashed here starts with another one, so the place where the tag ends is never
 *    in doubt. The tags of other functions (HKDF, HPKE, SHAKE256) stand outside this rule, and
 *    `taggedHash` does not take them: "bss/v1/committee" starts with "bss/v1/commit", which is
 *    harmless only because the committee's seed goes to SHAKE256.
 * 2. The parts are joined without lengths. That is unambiguous as long as every part but the last
 *    has a fixed length, and each use keeps to it: record (consortium id of 32 bytes ‖ record),
 *    epoch (u64 ‖ 32-byte key), and one part for messages that are signed. The audit (beacon ‖ node
 *    id ‖ sealed…) is the exception: there the checker takes id, records and their lengths from its
 *    own copy of the ledger and recomputes, so nobody else chooses where one part ends.
 *
 * A future use with two parts of free length has to write their lengths in front.
 */

import { shake256 } from "@noble/hashes/sha3.js";
import { sha256OfParts, sha256TextOfParts } from "#platform/crypto";
import { defined } from "../base/assert.js";
import { utf8 } from "../base/bytes.js";

/** Length of every hash of the protocol, in bytes: all are SHA-256. */
export const hashBytes = 32;

/** Every domain tag of the protocol; a tag is never reused for another meaning. */
export const domain = Object.freeze({
  /** Record hash: the "data hash" that a user gets back. */
  record: "bss/v1/record",
  /** HKDF info of a record key. */
  seal: "bss/v1/seal",
  /** Public commitment to an epoch key. */
  epoch: "bss/v1/epoch",
  /** HPKE info of an epoch key that is wrapped for one manager. */
  keyWrap: "bss/v1/key-wrap",
  /** Signature of a participant over a submission header. */
  submission: "bss/v1/submission",
  /** Manager block id. */
  block: "bss/v1/block",
  /** Digest of a block's body over the roots of its three parts. */
  body: "bss/v1/body",
  /** Digest of the certificates that a block carries for the block before it. */
  certificates: "bss/v1/certificates",
  /** Storage block id. */
  storageBlock: "bss/v1/storage-block",
  /** SHAKE256 seed of the draw of a committee. */
  committee: "bss/v1/committee",
  /** Digest that shows possession of stored records. */
  audit: "bss/v1/audit",
  /** SHAKE256 seed of the draw of the records that such a digest is over. */
  auditDraw: "bss/v1/draw-audit",
  /** SHAKE256 seed of the draw of those whose digest is recomputed. */
  audited: "bss/v1/audited",
  /** Signature of one party of an energy trade. */
  trade: "bss/v1/trade",
  /** Signature of a PROPOSE message. */
  proposal: "bss/v1/propose",
  /** Signature of an ACCEPT message. */
  accept: "bss/v1/accept",
  /** Signature of an APPROVE message. */
  approve: "bss/v1/approve",
  /** Signature of a COMMIT message. */
  commit: "bss/v1/commit",
  /** Signature of a storage node over its verdict on a block. */
  attestation: "bss/v1/attestation",
  /** Signature of a manager over its head. */
  head: "bss/v1/head",
  /** Identity of a piece of evidence. */
  evidence: "bss/v1/evidence",
  /** Signature of a manager over its verdict on a submission. */
  verdict: "bss/v1/verdict",
  /** Signature of a manager over an objection to a record. */
  objection: "bss/v1/objection",
  /** Signature of a suspended manager that wants to be active again. */
  resume: "bss/v1/resume",
  /** Signature of a manager's operator over a governance operation. */
  governance: "bss/v1/governance",
  /** Signature that shows possession of the key that is being registered. */
  registration: "bss/v1/registration",
  /** Signature of an operator over an invitation. */
  invitation: "bss/v1/invitation",
  /** Signature that sends a storage node away: its own, or an operator's. */
  retirement: "bss/v1/retirement",
  /** Signature of a manager that has heard nothing of a storage node. */
  unreachable: "bss/v1/unreachable",
  /** Signature of a suspended storage node that is back. */
  returning: "bss/v1/return",
  /** Signature of a manager over a false audit digest. */
  finding: "bss/v1/finding",
  /** Signature of an operator that has paid reward units. */
  payout: "bss/v1/payout",
} as const);

export type DomainTag = (typeof domain)[keyof typeof domain];

/** The tags that go in front of a SHA-256 input: all but those of HKDF, HPKE and SHAKE256. */
export type HashTag = Exclude<
  DomainTag,
  | typeof domain.seal
  | typeof domain.keyWrap
  | typeof domain.committee
  | typeof domain.auditDraw
  | typeof domain.audited
>;

const tagBytes: ReadonlyMap<string, Uint8Array> = new Map(
  Object.values(domain).map((tag) => [tag, utf8(tag)]),
);

/**
 * The tag as bytes (ASCII), for functions that take it as context. The result is shared: do not
 * write to it.
 */
export function domainBytes(tag: DomainTag): Uint8Array {
  return defined(tagBytes.get(tag), "every domain tag is in the table");
}

/**
 * SHA-256 (FIPS 180-4) over the concatenation of `parts`, without lengths between them: 32 bytes.
 */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return sha256OfParts(parts);
}

/** The same as text of 32 characters, one for each byte: a key for maps. */
export function sha256Text(...parts: readonly Uint8Array[]): string {
  return sha256TextOfParts(parts);
}

/**
 * SHA-256(utf8(tag) ‖ parts): 32 bytes. Every part but the last must have a fixed length (see
 * above).
 */
export function taggedHash(tag: HashTag, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256OfParts([domainBytes(tag), ...parts]);
}

/**
 * An endless stream of bytes: SHAKE256 (FIPS 202) over the concatenation of `parts`. Each call
 * gives the next `n` bytes; how they are cut into calls does not change the stream.
 */
export function createShake256Reader(...parts: readonly Uint8Array[]): (n: number) => Uint8Array {
  const sponge = shake256.create({});
  for (const part of parts) sponge.update(part);
  return (n) => sponge.xof(n);
}
