import { randomFillSync } from "node:crypto";

/**
 * `n` bytes from the operating system's generator (node:crypto), fit for keys, seeds and record
 * salts.
 */
export function randomBytes(n: number): Uint8Array {
  return randomFillSync(new Uint8Array(n));
}
