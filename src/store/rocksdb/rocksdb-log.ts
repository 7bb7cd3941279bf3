/**
 * Looks for damage in the middle of RocksDB's write-ahead logs, before RocksDB opens them: it takes
 * a record that does not hold for the end of a log that a crash has torn, and silently drops all
 * that stands behind it, in later logs too, also what was synced and acknowledged. A tear has
 * nothing whole behind it, and only the log that was written last has one; that tells the two
 * apart, but for a power failure that kept later pages of the device and lost earlier ones that
 * nobody had synced.
 *
 * A log is a row of blocks of 32 KiB, each a row of records (RocksDB's log_format.h): CRC-32C of
 * what follows the length, masked; length; type; content. Types 5 to 8 have a log number besides.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

const blockBytes = 32_768;
const headerBytes = 7;
const recyclableHeaderBytes = 11;
const typeMax = 11;

type LogDamage = {
  /** Name of the log. */
  readonly file: string;
  /** Where the first record stands that does not hold. */
  readonly atByte: number;
  /** What RocksDB drops, whole records and later logs included. */
  readonly droppedBytes: number;
};

/**
 * The first in a directory; none when there are no logs, or when crashes alone have torn them.
 */
export async function findLogDamage(directory: string): Promise<LogDamage | undefined> {
  const names = await readdir(directory).catch(() => []);
  const files = names
    .filter((name) => /^\d+\.log$/.test(name))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  const byteCounts = await Promise.all(files.map((file) => byteCountOf(join(directory, file))));
  const written = byteCounts.findLastIndex((count) => count > 0);
  for (const [i, file] of files.entries()) {
    // RocksDB itself says what is wrong with a file that cannot be read.
    const log = await readFile(join(directory, file)).catch(() => Buffer.alloc(0));
    const atByte = firstBroken(log);
    if (atByte === log.length) continue;
    if (i >= written && !hasRecordAfter(log, atByte)) continue;
    const laterBytes = byteCounts.slice(i + 1).reduce((sum, count) => sum + count, 0);
    return { file, atByte, droppedBytes: log.length - atByte + laterBytes };
  }
  return undefined;
}

async function byteCountOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

export function describeLogDamage({ file, atByte, droppedBytes }: LogDamage): string {
  return (
    `the write-ahead log ${file} is damaged at byte ${atByte}, or a power failure has torn it: ` +
    `${droppedBytes} bytes are lost from there on, whatever they held`
  );
}

/** The length of the log when every record holds. */
function firstBroken(log: Buffer): number {
  let at = 0;
  while (at < log.length) {
    const left = blockBytes - (at % blockBytes);
    if (left < headerBytes) {
      at += left;
      continue;
    }
    const length = recordLength(log, at);
    if (length === undefined) return at;
    at += length;
  }
  return log.length;
}

/** At any byte of the block that is broken, and from the beginning of every later one. */
function hasRecordAfter(log: Buffer, broken: number): boolean {
  const blockEnd = Math.min(log.length, broken - (broken % blockBytes) + blockBytes);
  for (let at = broken + 1; at < blockEnd; at++) {
    if (recordLength(log, at) !== undefined) return true;
  }
  for (let at = blockEnd; at < log.length; at += blockBytes) {
    if (recordLength(log, at) !== undefined) return true;
  }
  return false;
}

/** Bytes of the record that begins at a byte; undefined where none does. */
function recordLength(log: Buffer, at: number): number | undefined {
  const left = Math.min(log.length - at, blockBytes - (at % blockBytes));
  if (left < headerBytes) return undefined;
  const type = log.readUInt8(at + 6);
  // Type 0 is what a file system fills up with.
  if (type === 0 || type > typeMax) return undefined;
  const header = type >= 5 && type <= 8 ? recyclableHeaderBytes : headerBytes;
  const end = header + log.readUInt16LE(at + 4);
  if (end > left) return undefined;
  const sum = maskedCrc32c(log.subarray(at + 6, at + end));
  return sum === log.readUInt32LE(at) ? end : undefined;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** RocksDB masks a sum that is kept beside what it sums up (crc32c.h). */
function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
