/** What `node.ts` does with Node.js, in JavaScript alone: for browsers. */
import type * as node from "./node.js";

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export const hexOf: typeof node.hexOf = (bytes) => {
  let text = "";
  for (const byte of bytes) text += digits[byte];
  return text;
};

export const latin1Of: typeof node.latin1Of = (bytes, start, end) => {
  let text = "";
  for (const byte of bytes.subarray(start, end)) text += String.fromCharCode(byte);
  return text;
};

export const bytesOfHex: typeof node.bytesOfHex = (hex) =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );

export const sameContent: typeof node.sameContent = (a, b) => a.every((byte, i) => byte === b[i]);
