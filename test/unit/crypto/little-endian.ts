/** Integers of any length in the byte order of Curve25519 (RFC 8032 §5.1.2). */

/** The number that `bytes` stand for, least significant byte first; 0 for no bytes. */
export function littleEndian(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes).reverse().toString("hex");
  return hex === "" ? 0n : BigInt(`0x${hex}`);
}

/** The `length` bytes of a number that fits in them, least significant first. */
export function toLittleEndian(value: bigint, length: number): Uint8Array {
  const hex = value.toString(16).padStart(length * 2, "0");
  return new Uint8Array(Buffer.from(hex, "hex").reverse());
}
