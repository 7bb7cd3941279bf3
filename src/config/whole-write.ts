import { writeSync } from "node:fs";

/** A call to the operating system: it returns how many bytes it took, from `from` on. */
export type WriteCall = (descriptor: number, bytes: Uint8Array, from: number) => number;

/**
 * Writes all the bytes. One call to the operating system may take a part of them, as on a disk that
 * becomes full; the next one then throws. `write` is that call.
 */
export function writeWhole(
  descriptor: number,
  bytes: Uint8Array,
  write: WriteCall = writeSync,
): void {
  for (let at = 0; at < bytes.length; ) at += write(descriptor, bytes, at);
}
