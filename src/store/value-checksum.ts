/**
 * What lies on disk for a value: CRC-32 (zlib's, big-endian, 4 bytes) over key ‖ value, then the
 * value.
 *
 * RocksDB verifies its own block checksums for point reads only; through this package its iterators
 * hand out flipped bits as data. The sum also covers the key, so a value under another key is
 * noticed too. It finds accidents; against forgery there are the hashes of the ledger.
 */
import { crc32 } from "node:zlib";

const sumBytes = 4;

export function withChecksum(key: Uint8Array, value: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(sumBytes + value.length);
  out.writeUInt32BE(checksum(key, value));
  out.set(value, sumBytes);
  return out;
}

/** The value, sharing memory with `stored`, or undefined when it is not what was written. */
export function withoutChecksum(key: Uint8Array, stored: Buffer): Uint8Array | undefined {
  if (stored.length < sumBytes) return undefined;
  const length = stored.length - sumBytes;
  const value = new Uint8Array(stored.buffer, stored.byteOffset + sumBytes, length);
  return stored.readUInt32BE() === checksum(key, value) ? value : undefined;
}

function checksum(key: Uint8Array, value: Uint8Array): number {
  const ofKey = crc32(key);
  // For no bytes at a null pointer zlib answers 0 instead of the sum so far.
  return value.length === 0 ? ofKey : crc32(value, ofKey);
}
