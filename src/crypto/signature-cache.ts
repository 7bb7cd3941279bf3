/**
 * Verifies signatures and remembers those that held: the same vote comes from several peers, stands
 * in a certificate, and stands again in the next block. Only success is remembered, and the memory
 * is bounded, so a flood of bad signatures costs the sender's link and nothing else. One that is
 * being verified is not verified a second time meanwhile.
 */
import { ed25519VerifySoon } from "./ed25519.js";
import { sha256Text } from "./hash.js";

export type SignedDigest = {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  /** 64 bytes. */
  readonly signature: Uint8Array;
};

/** Whether a signature is the key's over the message, at once or later; never rejects. */
export type VerifySignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => boolean | Promise<boolean>;

/** Remembered signatures: several blocks of a large committee. */
const verifiedMax = 65_536;

export class SignatureCache {
  /**
   * Two generations: when the young one is full it becomes the old one, and the old one is dropped.
   */
  #young = new Set<string>();
  #old = new Set<string>();
  /** Those that are being verified, as many as their senders may have here at a time. */
  readonly #pending = new Map<string, Promise<boolean>>();
  readonly #verifySignature: VerifySignature;

  /** Ed25519, unless a simulation brings a verifier of its own. */
  constructor(verifySignature: VerifySignature = ed25519VerifySoon) {
    this.#verifySignature = verifySignature;
  }

  /** The first of `signed` that does not verify, or undefined when all do. */
  async firstInvalid<T extends SignedDigest>(signed: readonly T[]): Promise<T | undefined> {
    return (await this.invalidOf(signed))[0];
  }

  /** Those of `signed` that do not verify, in their order. */
  async invalidOf<T extends SignedDigest>(signed: readonly T[]): Promise<readonly T[]> {
    const answers = signed.map((entry) => this.#verify(entry));
    const results = answers.every(isKnown) ? answers : await Promise.all(answers);
    return signed.filter((_, i) => results[i] === false);
  }

  #verify({ publicKey, digest, signature }: SignedDigest): boolean | Promise<boolean> {
    // Only of fixed lengths does the concatenation say where one part ends and the next begins.
    const shaped = publicKey.length === 32 && digest.length === 32 && signature.length === 64;
    if (!shaped) return false;
    const key = sha256Text(publicKey, digest, signature);
    if (this.#young.has(key) || this.#old.has(key)) return true;
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const result = this.#verifySignature(publicKey, digest, signature);
    if (typeof result === "boolean") {
      if (result) this.#remember(key);
      return result;
    }
    const settled = result.then((valid) => {
      this.#pending.delete(key);
      if (valid) this.#remember(key);
      return valid;
    });
    this.#pending.set(key, settled);
    return settled;
  }

  /** Remembers what this process has signed itself: it comes back in the certificates of others. */
  note({ publicKey, digest, signature }: SignedDigest): void {
    this.#remember(sha256Text(publicKey, digest, signature));
  }

  #remember(key: string): void {
    this.#young.add(key);
    if (this.#young.size < verifiedMax / 2) return;
    this.#old = this.#young;
    this.#young = new Set();
  }
}

function isKnown(answer: boolean | Promise<boolean>): answer is boolean {
  return typeof answer === "boolean";
}
