/**
 * Verifies signatures on the thread pool and remembers those that held: the same vote comes from
 * several peers, stands in a certificate, and stands again in the next block. Only success is
 * remembered, and the memory is bounded, so a flood of bad signatures costs the sender's link and
 * nothing else.
 */
import { toHex } from "../base/bytes.js";
import { ed25519VerifyAsync } from "./ed25519.js";
import { sha256 } from "./hash.js";

export type SignedDigest = {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
};

/** Whether a signature is the key's over the message; never rejects. */
export type VerifySignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => Promise<boolean>;

/** Remembered signatures: several blocks of a large committee. */
const verifiedMax = 65_536;

export class SignatureCache {
  /**
   * Two generations: when the young one is full it becomes the old one, and the old one is dropped.
   */
  #young = new Set<string>();
  #old = new Set<string>();
  readonly #verifySignature: VerifySignature;

  /** Ed25519 on the thread pool, unless a simulation brings a verifier of its own. */
  constructor(verifySignature: VerifySignature = ed25519VerifyAsync) {
    this.#verifySignature = verifySignature;
  }

  /** The first of `signed` that does not verify, or undefined when all do. */
  async firstInvalid<T extends SignedDigest>(signed: readonly T[]): Promise<T | undefined> {
    return (await this.invalidOf(signed))[0];
  }

  /** Those of `signed` that do not verify, in their order. */
  async invalidOf<T extends SignedDigest>(signed: readonly T[]): Promise<readonly T[]> {
    const results = await Promise.all(signed.map((entry) => this.#verify(entry)));
    return signed.filter((_, i) => results[i] === false);
  }

  async #verify({ publicKey, digest, signature }: SignedDigest): Promise<boolean> {
    // Only of fixed lengths does the concatenation say where one part ends and the next begins.
    const shaped = publicKey.length === 32 && digest.length === 32 && signature.length === 64;
    if (!shaped) return false;
    const key = toHex(sha256(publicKey, digest, signature));
    if (this.#young.has(key) || this.#old.has(key)) return true;
    const valid = await this.#verifySignature(publicKey, digest, signature);
    if (valid) this.#remember(key);
    return valid;
  }

  /** Remembers what this process has signed itself: it comes back in the certificates of others. */
  note({ publicKey, digest, signature }: SignedDigest): void {
    this.#remember(toHex(sha256(publicKey, digest, signature)));
  }

  #remember(key: string): void {
    this.#young.add(key);
    if (this.#young.size < verifiedMax / 2) return;
    this.#old = this.#young;
    this.#young = new Set();
  }
}
