/**
 * The messages between a node's thread and the threads of RocksDB. Keys and values are packed into
 * one buffer, which is transferred, as copying many small ones costs more than the work itself.
 */
import { defined } from "../../base/assert.js";
import type { Entry, WriteOperation } from "../key-value-store.js";

export type ThreadRequest = {
  readonly id: number;
  /** Names the open database. */
  readonly handle: bigint;
} & (
  | { readonly kind: "get"; readonly keys: ArrayBuffer }
  | { readonly kind: "write"; readonly operations: ArrayBuffer; readonly sync: boolean }
  | {
      readonly kind: "range";
      readonly gte: Uint8Array;
      readonly lt: Uint8Array;
      readonly reverse: boolean;
      readonly limit: number;
    }
);

/** `values`: packed; what a get or a range found. */
export type ThreadAnswer =
  | { readonly id: number; readonly values: ArrayBuffer | undefined }
  | { readonly id: number; readonly failure: string };

/** Lengths have 4 bytes; this one stands for a value that is not there. */
const absentLength = 0xffff_ffff;
const lengthBytes = 4;

/** Each part as its length and its bytes. */
export function packParts(parts: readonly (Uint8Array | undefined)[]): ArrayBuffer {
  let size = 0;
  for (const part of parts) size += lengthBytes + (part?.length ?? 0);
  const packed = new ArrayBuffer(size);
  const bytes = new Uint8Array(packed);
  const view = new DataView(packed);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part?.length ?? absentLength);
    at += lengthBytes;
    if (part === undefined) continue;
    bytes.set(part, at);
    at += part.length;
  }
  return packed;
}

/** Views into `packed`. */
export function unpackParts(packed: ArrayBuffer): (Buffer | undefined)[] {
  const view = new DataView(packed);
  const parts: (Buffer | undefined)[] = [];
  for (let at = 0; at < packed.byteLength; ) {
    const length = view.getUint32(at);
    at += lengthBytes;
    if (length === absentLength) {
      parts.push(undefined);
    } else {
      parts.push(Buffer.from(packed, at, length));
      at += length;
    }
  }
  return parts;
}

/** Key and value of each operation in turn; a deletion has no value. */
export function packOperations(batch: readonly WriteOperation[]): ArrayBuffer {
  const parts: (Uint8Array | undefined)[] = [];
  for (const operation of batch) {
    parts.push(operation.key, operation.type === "put" ? operation.value : undefined);
  }
  return packParts(parts);
}

/** Copies: a view into the buffer would keep all of it in memory for one small value. */
export function copiedValues(packed: ArrayBuffer): (Uint8Array | undefined)[] {
  return unpackParts(packed).map((part) => part && new Uint8Array(part));
}

/** Keys and values in turn, as entries. */
export function copiedEntries(packed: ArrayBuffer): Entry[] {
  const parts = copiedValues(packed);
  const entries: Entry[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    entries.push([defined(parts[i], "a key"), defined(parts[i + 1], "its value")]);
  }
  return entries;
}
