/** What tests of cryptography take of node:crypto, node:fs and node:path, for pages. */
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { shake256 } from "@noble/hashes/sha3.js";
import { defined } from "../../../src/base/assert.js";
import { toHex, utf8 } from "../../../src/base/bytes.js";

const hashes = { sha256, sha512, shake256 } as const;

export function createHash(name: keyof typeof hashes, { outputLength = 32 } = {}) {
  const hasher =
    name === "shake256" ? shake256.create({ dkLen: outputLength }) : hashes[name].create();
  const chained = {
    update(part: Uint8Array | string) {
      hasher.update(typeof part === "string" ? utf8(part) : part);
      return chained;
    },
    digest: (encoding?: "hex") => (encoding === "hex" ? toHex(hasher.digest()) : hasher.digest()),
  };
  return chained;
}

/** The files that stand in the page, by their paths in the repository. */
declare const pageFiles: Readonly<Record<string, string>>;

/** "/" is the repository. */
export function existsSync(path: string): boolean {
  return path === "/package.json";
}

export function readFileSync(path: string): string {
  const name = path.startsWith("/") ? path.slice(1) : path;
  return defined(pageFiles[name], `the page has ${name}`);
}

export function dirname(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

export function join(...parts: readonly string[]): string {
  return parts.join("/").replaceAll(/\/+/g, "/");
}
