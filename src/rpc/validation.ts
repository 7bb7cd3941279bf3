/** Small checks of requests beyond decoding. Each throws INVALID_ARGUMENT with the field's path. */
import { RpcError } from "./rpc-error.js";

export function fieldError(path: string, why: string): RpcError {
  return new RpcError("FIELD_INVALID", `${path}: ${why}`, { field: path });
}

/** The ends of a range contradict each other, or what there is. */
export function rangeError(path: string, why: string): RpcError {
  return new RpcError("RANGE_INVALID", `${path}: ${why}`, { field: path });
}

/** @throws RpcError FIELD_INVALID unless the value has exactly `length` bytes */
export function requireBytes(value: Uint8Array, length: number, path: string): Uint8Array {
  if (value.length !== length) {
    throw fieldError(path, `expected ${length} bytes, got ${value.length}`);
  }
  return value;
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

/**
 * The number of items of a page; 0 in the request means the default. @throws RpcError FIELD_INVALID
 */
export function pageSize(requested: number, limits: PageSizeLimits, path = "page_size"): number {
  if (requested === 0) return limits.defaultSize;
  if (requested > limits.sizeMax) {
    throw fieldError(path, `expected 1 to ${limits.sizeMax}, got ${requested}`);
  }
  return requested;
}

/**
 * Page tokens are opaque to callers: what they hold, in base64url, behind the name of the listing
 * they belong to, so that a token of one listing does not pass in another.
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
 * The whole numbers that a position consists of, in the one way in which a token spells them, as in
 * "5,2". None for anything else: callers can make tokens up. The one after each is a safe integer
 * too, as a listing goes on behind the place that its token names.
 */
export function tokenIntegers(position: string): readonly number[] {
  const numbers = position.split(",").map(Number);
  const sound = numbers.every((each) => Number.isSafeInteger(each + 1) && each >= 0);
  return sound && numbers.join(",") === position ? numbers : [];
}
