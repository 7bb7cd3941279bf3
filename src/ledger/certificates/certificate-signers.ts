/** The rule that all certificates share: sorted by id, one signature per signer, known signers. */
import type { Message } from "@bufbuild/protobuf";
import { ok, type Result } from "../../base/result.js";
import { ed25519SignatureBytes } from "../../crypto/ed25519.js";
import { compareIds } from "../ids.js";
import { refuse, type Violation, violation } from "../violation.js";
import { hasUnknownFields } from "../wire.js";
import type { SignatureCheck } from "./signature-check.js";

type Signed = Message & { readonly signature: Uint8Array };

type SignerRule<T extends Signed> = {
  /** Path of the list, for refusals. */
  readonly path: string;
  /** What is signed, for logs. */
  readonly statement: string;
  readonly height: number;
  readonly signerOf: (entry: T) => string;
  /** The key of somebody who may sign here; undefined for a stranger. */
  readonly keyOf: (signerId: string) => Uint8Array | undefined;
  readonly digestOf: (entry: T) => Uint8Array;
};

/** The obligations of a list of signatures, or CERTIFICATE_INVALID naming the entry at fault. */
export function checkSigners<T extends Signed>(
  entries: readonly T[],
  rule: SignerRule<T>,
): Result<readonly SignatureCheck[], Violation> {
  const checks: SignatureCheck[] = [];
  let previous: string | undefined;
  for (const [i, entry] of entries.entries()) {
    const field = `${rule.path}[${i}]`;
    const signerId = rule.signerOf(entry);
    if (hasUnknownFields(entry)) return invalid("There are unknown fields.", field);
    if (previous !== undefined && compareIds(previous, signerId) >= 0) {
      return invalid("The signers are not in ascending order without repeats.", field);
    }
    previous = signerId;
    const publicKey = rule.keyOf(signerId);
    if (publicKey === undefined) return invalid("The signer may not sign this certificate.", field);
    const { signature } = entry;
    if (signature.length !== ed25519SignatureBytes) {
      return invalid("A signature has 64 bytes.", `${field}.signature`);
    }
    const what = `${rule.statement} of ${signerId} at height ${rule.height}`;
    const message = `A signature in a certificate does not verify: ${what}.`;
    checks.push({
      publicKey,
      digest: rule.digestOf(entry),
      signature,
      what,
      violation: violation("CERTIFICATE_INVALID", message, `${field}.signature`),
    });
  }
  return ok(checks);
}

/** A refusal for CERTIFICATE_INVALID. */
export function invalid(message: string, field?: string): Result<never, Violation> {
  return refuse("CERTIFICATE_INVALID", message, field);
}
