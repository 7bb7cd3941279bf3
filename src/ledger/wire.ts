/**
 * Protobuf at the edge of the pure code.
 *
 * What nodes themselves write, hash and sign has one encoding, the canonical one (canonical.proto),
 * and bytes in any other are refused: nobody can hide data in a header, and two nodes cannot read
 * one header differently. Records and submission headers are written by participants, whose
 * libraries may order fields otherwise; `strict-decode.ts` reads those.
 */
import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { equalBytes } from "../base/bytes.js";
import { embeddedBounds, type WireBounds, wireProblem } from "./wire-bounds.js";

/** The bytes of a message, which may be given as `create` takes it. */
export function encode<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Uint8Array {
  return toBinary(schema, create(schema, message));
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
  try {
    const message = fromBinary(schema, bytes, { readUnknownFields: false });
    return equalBytes(toBinary(schema, message), bytes) ? message : undefined;
  } catch {
    return undefined;
  }
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
