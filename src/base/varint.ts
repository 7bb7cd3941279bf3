/**
 * Numbers as bytes: seven bits a byte, lowest first, the top bit set on all but the last byte
 * (LEB128, as in protobuf). From 0 to 2^53 − 1, as JavaScript counts without loss.
 */
import { assert } from "./assert.js";

export function varintBytes(value: number): number {
  assertVarint(value);
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

/** Writes the number into `bytes`, and returns where the next one goes. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  assertVarint(value);
  let rest = value;
  let next = at;
  while (rest >= 0x80) {
    bytes[next] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
    next += 1;
  }
  bytes[next] = rest;
  return next + 1;
}

function assertVarint(value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, "a varint is from 0 to 2^53 - 1");
}
