/** Small checks of requests beyond decoding. Each throws INVALID_ARGUMENT with the field's path. */
import { RpcError } from "./rpc-error.js";

export function fieldError(path: string, why: string): RpcError {
  return new RpcError("FIELD_INVALID", `${path}: ${why}`, { field: path });
}

/** The ends of a range contradict each other, or reach beyond what there is. */
export function rangeError(path: string, why: string): RpcError {
  return new RpcError("RANGE_INVALID", `${path}: ${why}`, { field: path });
}

/** @throws RpcError FIELD_INVALID unless the value has exactly `length` bytes */
export function requireBytes(value: Uint8Array, length: number, path: string): Uint8Array {
  if (value.length === length) return value;
  // 64 hex digits are also base64, of 48 bytes, in which 4 characters stand for 3 bytes.
  const looksHex = value.length === length * 1.5 && isHex(Buffer.from(value).toString("base64"));
  const advice = looksHex ? ": hex was given where JSON has base64" : "";
  throw fieldError(path, `expected ${length} bytes, got ${value.length}${advice}`);
}

/**
 * A protobuf uint64 or int64 as a number. @throws RpcError FIELD_INVALID beyond 2^53−1 or below 0
 */
export function requireSafeInteger(value: bigint, path: string): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw fieldError(path, `expected 0 to ${Number.MAX_SAFE_INTEGER}, got ${value}`);
  }
  return Number(value);
}

type PageSizeLimits = { readonly defaultSize: number; readonly sizeMax: number };

/** How many items a page has; a request of 0 means the default. @throws RpcError FIELD_INVALID */
export function pageSize(requested: number, limits: PageSizeLimits, path = "page_size"): number {
  if (requested === 0) return limits.defaultSize;
  if (requested > limits.sizeMax) {
    throw fieldError(path, `expected 1 to ${limits.sizeMax}, got ${requested}`);
  }
  return requested;
}

/**
 * Page tokens are opaque to callers. A token is a position behind the name of its listing, in
 * base64url: so a token of one listing does not pass in another.
 */
export function pageToken(listing: string, position: string): string {
  return Buffer.from(`${listing}:${position}`, "utf8").toString("base64url");
}

/** The position in a token; undefined for the first page. @throws RpcError PAGE_TOKEN_INVALID */
export function pagePosition(listing: string, token: string): string | undefined {
  if (token === "") return undefined;
  const text = Buffer.from(token, "base64url").toString("utf8");
  const prefix = `${listing}:`;
  if (!text.startsWith(prefix) || pageToken(listing, text.slice(prefix.length)) !== token) {
    throw new RpcError("PAGE_TOKEN_INVALID", "the page token is not one of this listing", {
      field: "page_token",
    });
  }
  return text.slice(prefix.length);
}

/**
 * The whole numbers in a position such as "5,2". None unless they are written exactly as a token
 * writes them, as callers can make tokens up. Each number plus one is a safe integer too, as a
 * listing goes on behind the place that its token names.
 */
export function tokenIntegers(position: string): readonly number[] {
  const numbers = position.split(",").map(Number);
  const sound = numbers.every((each) => Number.isSafeInteger(each + 1) && each >= 0);
  return sound && numbers.join(",") === position ? numbers : [];
}

function isHex(text: string): boolean {
  return /^[0-9a-fA-F]+$/.test(text);
}
