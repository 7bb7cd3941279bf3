/**
 * Ed25519 signatures at the edges where libraries differ: points of small order, second encodings
 * of points, S beyond the group order, and equations that hold with the cofactor only. Whoever
 * makes the points knows the terms of the equation, and so the answer without a verifier.
 */
import { createHash } from "node:crypto";
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes, emptyBytes } from "../../src/base/bytes.js";
import { littleEndian, toLittleEndian } from "../unit/crypto/little-endian.js";
import { publicKeyOf, seedOf, sign } from "../unit/ledger/support/records.js";
import { base64, type SignatureItem } from "./corpus.js";

const { Point } = ed25519;
const groupOrder = Point.Fn.ORDER;
const fieldPrime = Point.Fp.ORDER;
const signBit = 2n ** 255n;

/** The points whose order divides 8; each is its index times the one at index 1. */
const torsion = ED25519_TORSION_SUBGROUP.map((encoded) => Point.fromHex(encoded));

/** The secrets of a forger: of the key aB, and of R = rB. */
const a = 1_234_567_890_123_456_789n;
const r = 9_876_543_210_987_654_321n;

type Signed = {
  readonly key: Uint8Array;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
};

function item(name: string, valid: boolean, { key, digest, signature }: Signed): SignatureItem {
  const parts = { key: base64(key), digest: base64(digest), signature: base64(signature) };
  return { kind: "signature", name, ...parts, valid };
}

/** The k of RFC 8032. */
function challenge(encodedR: Uint8Array, key: Uint8Array, digest: Uint8Array): bigint {
  const hash = createHash("sha512").update(encodedR).update(key).update(digest).digest();
  return littleEndian(hash) % groupOrder;
}

type Secrets = { readonly a: bigint; readonly r: bigint };

/** With the S that makes the equation hold, but for parts of small order in A and R. */
function forge(
  { key, encodedR, digest }: Record<"key" | "encodedR" | "digest", Uint8Array>,
  secrets: Secrets,
): Signed {
  const s = (secrets.r + challenge(encodedR, key, digest) * secrets.a) % groupOrder;
  return { key, digest, signature: concatBytes(encodedR, toLittleEndian(s, 32)) };
}

function honest(): Signed {
  const digest = seedOf("an honest digest");
  return { key: publicKeyOf("manager-1"), digest, signature: sign("manager-1", digest) };
}

/** Digests among which k takes every remainder that it needs to. */
const attemptsMax = 32;

/**
 * A = aB and R = rB, each with a part of small order; with the cofactor the equation always holds.
 * One signature for which it also holds without, if there is one, and one for which it does not.
 */
function withParts(
  title: string,
  secrets: Secrets,
  answer: (holds: boolean) => boolean,
): readonly SignatureItem[] {
  const items: SignatureItem[] = [];
  const multiple = (scalar: bigint) => (scalar === 0n ? Point.ZERO : Point.BASE.multiply(scalar));
  for (const [i, inA] of torsion.entries()) {
    for (const [j, inR] of torsion.entries()) {
      const key = multiple(secrets.a).add(inA).toBytes();
      const encodedR = multiple(secrets.r).add(inR).toBytes();
      const wanted = new Set([true, false]);
      for (let attempt = 0; attempt < attemptsMax && wanted.size > 0; attempt++) {
        const digest = seedOf(`${title} ${attempt}`);
        const k = challenge(encodedR, key, digest);
        const holds = (BigInt(j) + k * BigInt(i)) % 8n === 0n;
        if (!wanted.delete(holds)) continue;
        const name = `${title}, parts ${i} and ${j}: the equation ${holds ? "holds" : "does not hold"}`;
        items.push(item(name, answer(holds), forge({ key, encodedR, digest }, secrets)));
      }
    }
  }
  return items;
}

/** Bytes that a generous decoder takes for a point that has other bytes. */
function secondEncodings(): readonly Uint8Array[] {
  const encodings: Uint8Array[] = [];
  for (let y = fieldPrime; y < signBit; y++) {
    encodings.push(toLittleEndian(y, 32), toLittleEndian(y + signBit, 32));
  }
  // x = 0 with the sign of a negative one, at y = 1 and y = −1.
  for (const y of [1n, fieldPrime - 1n]) encodings.push(toLittleEndian(y + signBit, 32));
  return encodings;
}

function withSecondEncodings(): readonly SignatureItem[] {
  const digest = seedOf("second encodings");
  const key = Point.BASE.multiply(a).toBytes();
  const encodedR = Point.BASE.multiply(r).toBytes();
  return secondEncodings().flatMap((encoded, i) => [
    item(
      `a second encoding of a point as the key: ${i}`,
      false,
      forge({ key: encoded, encodedR, digest }, { a: 0n, r }),
    ),
    item(
      `a second encoding of a point as R: ${i}`,
      false,
      forge({ key, encodedR: encoded, digest }, { a, r: 0n }),
    ),
  ]);
}

/** The honest signature with another S. */
function withOtherS(): readonly SignatureItem[] {
  const right = honest();
  const encodedR = right.signature.subarray(0, 32);
  const s = littleEndian(right.signature.subarray(32));
  const changed = (name: string, value: bigint) =>
    item(name, false, { ...right, signature: concatBytes(encodedR, toLittleEndian(value, 32)) });
  const items: SignatureItem[] = [];
  for (let i = 1n; s + i * groupOrder < 2n ** 256n; i++) {
    items.push(changed(`S and ${i} times the group order`, s + i * groupOrder));
  }
  const edges = [0n, 1n, groupOrder - 1n, groupOrder, groupOrder + 1n, 2n ** 256n - 1n];
  return [
    ...items,
    ...[253n, 254n, 255n].map((bit) => changed(`S with bit ${bit}`, s + 2n ** bit)),
    changed("the negative of S", groupOrder - s),
    ...edges.map((value) => changed(`${value} as S`, value)),
  ];
}

/** Bytes of other lengths, no points, and what belongs to another signature. */
function ofOtherBytes(): readonly SignatureItem[] {
  const right = honest();
  const { key, signature } = right;
  const [encodedR, s] = [signature.subarray(0, 32), signature.subarray(32)];
  const off = new Uint8Array(32);
  while (ed25519.utils.isValidPublicKey(off, true) || off[0] === 0) off[0] = (off[0] ?? 0) + 1;
  const forged: readonly (readonly [string, Partial<Signed>])[] = [
    ["no key", { key: emptyBytes }],
    ["a key of 31 bytes", { key: key.slice(1) }],
    ["a key of 33 bytes", { key: concatBytes(key, Uint8Array.of(0)) }],
    ["the key of another", { key: publicKeyOf("manager-2") }],
    ["the negative key", { key: negative(key) }],
    ["a key off the curve", { key: off }],
    ["no signature", { signature: emptyBytes }],
    ["a signature of 63 bytes", { signature: signature.slice(0, -1) }],
    ["a signature of 65 bytes", { signature: concatBytes(signature, Uint8Array.of(0)) }],
    ["a signature twice", { signature: concatBytes(signature, signature) }],
    ["a signature of zeros", { signature: new Uint8Array(64) }],
    ["R and S exchanged", { signature: concatBytes(s, encodedR) }],
    ["the negative R", { signature: concatBytes(negative(encodedR), s) }],
    ["an R off the curve", { signature: concatBytes(off, s) }],
    ["the key as R", { signature: concatBytes(key, s) }],
    ["the digest of something else", { digest: seedOf("another digest") }],
  ];
  return forged.map(([name, change]) => item(name, false, { ...right, ...change }));
}

function negative(point: Uint8Array): Uint8Array {
  return point.with(31, (point[31] ?? 0) ^ 0x80);
}

export function signatures(): readonly SignatureItem[] {
  const never = () => false;
  return [
    item("an honest signature", true, honest()),
    ...withParts("A and R of a forger", { a, r }, (holds) => holds),
    ...withParts("R of small order", { a, r: 0n }, never),
    ...withParts("A of small order", { a: 0n, r }, never),
    ...withParts("A and R of small order", { a: 0n, r: 0n }, never),
    ...withSecondEncodings(),
    ...withOtherS(),
    ...ofOtherBytes(),
  ];
}

/**
 * A signature under the key of a seed whose R is of small order. For the neutral point the equation
 * holds; for the others with the cofactor.
 */
export function signWithSmallR(seed: Uint8Array, digest: Uint8Array, index: number): Uint8Array {
  const { scalar, pointBytes: key } = ed25519.utils.getExtendedPublicKey(seed);
  const encodedR = (torsion[index] ?? Point.ZERO).toBytes();
  return forge({ key, encodedR, digest }, { a: scalar, r: 0n }).signature;
}
