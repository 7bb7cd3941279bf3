/**
 * Looks for damage in the middle of RocksDB's write-ahead logs, before RocksDB opens them. RocksDB
 * takes a broken record for the place where a crash has torn the log, and silently drops all that
 * follows, in later logs too, even what was synced and acknowledged.
 *
 * Torn and damaged logs can be told apart: nothing whole follows a tear, and only the log that was
 * written last can be torn. Opening a torn log begins another one, and removes the torn one later:
 * if that does not come about, as on a full disk, the later one goes on where the torn one ends.
 * (One case looks like damage and is none: a power failure that kept later pages of the device, and
 * lost earlier ones that had not been synced.)
 *
 * A log is a row of blocks of 32 KiB, each a row of records (RocksDB's log_format.h): CRC-32C of
 * what follows the length, masked; length; type; content. Types 5 to 8 have a log number besides.
 * The records of a batch, one or a row of several, begin with the number of its first operation in
 * the database's history and how many it has (write_batch.cc).
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

const blockBytes = 32_768;
const headerBytes = 7;
const recyclableHeaderBytes = 11;
const typeMax = 11;
/** What a record is of its batch. */
const parts = { whole: 1, first: 2, last: 4 } as const;
const numberBytes = 8;
const batchHeaderBytes = numberBytes + 4;

type LogDamage = {
  /** Name of the log. */
  readonly file: string;
  /** Where the first broken record begins. */
  readonly atByte: number;
  /** What RocksDB would drop, whole records and later logs included. */
  readonly droppedBytes: number;
};

/** The first damage in a directory; undefined if there are no logs, or only torn ones. */
export async function findLogDamage(directory: string): Promise<LogDamage | undefined> {
  const names = await readdir(directory).catch(() => []);
  const files = names
    .filter((name) => /^\d+\.log$/.test(name))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  const byteCounts = await Promise.all(files.map((file) => byteCountOf(join(directory, file))));
  for (const [i, file] of files.entries()) {
    const log = await contentOf(join(directory, file));
    const atByte = firstBroken(log);
    if (atByte === log.length) continue;
    if (!hasRecordAfter(log, atByte)) {
      const later = files.find((_, j) => j > i && (byteCounts[j] ?? 0) > 0);
      if (later === undefined) continue;
      if (goesOn(log.subarray(0, atByte), await contentOf(join(directory, later)))) continue;
    }
    const laterBytes = byteCounts.slice(i + 1).reduce((sum, count) => sum + count, 0);
    return { file, atByte, droppedBytes: log.length - atByte + laterBytes };
  }
  return undefined;
}

/** If a file cannot be read, RocksDB itself says why. */
function contentOf(path: string): Promise<Buffer> {
  return readFile(path).catch(() => Buffer.alloc(0));
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

/** Where the first broken record begins; the length of the log if every record is whole. */
function firstBroken(log: Buffer): number {
  let end = 0;
  for (const record of wholeRecords(log)) end = record.end;
  // What is left of a block is too short for a record, and is filled up.
  const left = blockBytes - (end % blockBytes);
  return left < headerBytes ? Math.min(log.length, end + left) : end;
}

type LogRecord = { readonly part: number; readonly content: Buffer; readonly end: number };

/** Up to the first one that is broken. */
function* wholeRecords(log: Buffer): Generator<LogRecord, void, undefined> {
  let at = 0;
  while (at < log.length) {
    const left = blockBytes - (at % blockBytes);
    if (left < headerBytes) {
      at += left;
      continue;
    }
    const length = recordLength(log, at);
    if (length === undefined) return;
    const type = log.readUInt8(at + 6);
    const end = at + length;
    const isRecyclable = type >= 5 && type <= 8;
    const content = log.subarray(at + (isRecyclable ? recyclableHeaderBytes : headerBytes), end);
    yield { part: isRecyclable ? type - 4 : type, content, end };
    at = end;
  }
}

/**
 * Whether the log `later` begins with the operation after the last whole batch of `torn`, so that
 * none is lost between them, and RocksDB goes on from one to the other.
 */
function goesOn(torn: Buffer, later: Buffer): boolean {
  const [first] = wholeRecords(later);
  const next = numberAfter(torn);
  return next !== undefined && first !== undefined && batchHeader(first.content)?.number === next;
}

/** The number after the last operation of the last whole batch; undefined if there is none. */
function numberAfter(log: Buffer): bigint | undefined {
  let next: bigint | undefined;
  let begun: bigint | undefined;
  for (const { part, content } of wholeRecords(log)) {
    if (part === parts.whole || part === parts.first) {
      const header = batchHeader(content);
      begun = header && header.number + BigInt(header.count);
    }
    if (part === parts.whole || part === parts.last) next = begun;
  }
  return next;
}

/** Undefined where it goes on in the next record. */
function batchHeader(content: Buffer) {
  if (content.length < batchHeaderBytes) return undefined;
  return { number: content.readBigUInt64LE(0), count: content.readUInt32LE(numberBytes) };
}

/** Looks at every byte of the block that is broken, and at the beginning of every later one. */
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
  // A file system fills up with zeros.
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

/** RocksDB masks checksums that are stored beside their data (crc32c.h). */
function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
