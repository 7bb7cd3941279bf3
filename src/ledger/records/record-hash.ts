import { domain, taggedHash } from "../../crypto/hash.js";

export const recordHashBytes = 32;

/**
 * SHA-256("bss/v1/record" ‖ consortium_id ‖ record_bytes), 32 bytes: the "data hash" that a
 * user gets back.
 */
export function recordHash(consortiumId: Uint8Array, bytes: Uint8Array): Uint8Array {
  return taggedHash(domain.record, consortiumId, bytes);
}
