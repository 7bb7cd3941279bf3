import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { defined } from "../../../src/base/assert.js";
import { fromHex } from "../../../src/base/bytes.js";

/** The vectors of a file under test/vectors/crypto, wherever the compiled tests lie. */
export function loadVectors<Name extends string>(file: string): Readonly<Record<Name, string>>[] {
  let root = import.meta.dirname;
  while (!existsSync(join(root, "package.json"))) root = dirname(root);
  const text = readFileSync(join(root, "test/vectors/crypto", file), "utf8");
  return JSON.parse(text).vectors;
}

export function hex(text: string): Uint8Array {
  return defined(fromHex(text), "a vector is hex");
}

/** A copy with one bit of byte `index` flipped. */
export function flipped(bytes: Uint8Array, index: number, bit = 0): Uint8Array {
  return bytes.map((byte, i) => (i === index ? byte ^ (1 << bit) : byte));
}
