/**
 * Protobuf at the edge of the pure code.
 *
 * What nodes themselves write, hash and sign has one encoding, the canonical one (canonical.proto),
 * and bytes in any other are refused: nobody can hide data in a header, and two nodes cannot read
 * one header differently. Records and submission headers are written by participants, whose
 * libraries may order fields otherwise; `strict-decode.ts` reads those.
 */
import type { DescMessage, Message, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { equalBytes } from "../base/bytes.js";
import { canonicalEncode } from "./canonical-encode.js";
import { strictMessage } from "./strict-decode.js";
import { embeddedBounds, type WireBounds, wireProblem } from "./wire-bounds.js";

/**
 * The bytes of a message, which may be given as `create` takes it. Its schema has a layout
 * (message-layout.ts), as has all that nodes hash, sign and keep.
 */
export function encode<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Uint8Array {
  return canonicalEncode(schema, message, (length) => new Uint8Array(length));
}

/**
 * Decodes canonical bytes; undefined for all others, and for what is past the bounds. Never throws.
 */
export function decodeCanonical<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  bounds: WireBounds = embeddedBounds,
): MessageShape<Desc> | undefined {
  if (wireProblem(schema, bytes, bounds) !== undefined) return undefined;
  const message = strictMessage(schema, bytes);
  if (message === undefined) return undefined;
  return equalBytes(encode<DescMessage>(schema, message), bytes) ? message : undefined;
}

/**
 * Whether a message that came over the wire carries fields that its schema does not have (nested
 * messages apart).
 */
export function hasUnknownFields(message: Message): boolean {
  return (message.$unknown?.length ?? 0) > 0;
}

/** A 64-bit integer as a number, if it is from `min` to 2^53−1. */
export function safeInteger(value: bigint, min = 0): number | undefined {
  if (value < BigInt(min) || value > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return Number(value);
}
