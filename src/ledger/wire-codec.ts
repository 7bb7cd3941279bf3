/**
 * Reads and writes messages as protobuf-es does, byte for byte and property for property, at a
 * fraction of its time: along a plan that is made once for each type (wire-plan.ts), and into an
 * array whose length is known beforehand.
 *
 * Only what is usual is done here. Whatever else comes (unknown fields, a message that stands twice
 * and has to be merged, cut or padded bytes, values of another type) is left to protobuf-es from
 * the beginning, so that there is one authority on it, and on the errors. Tests hold the two to the
 * same results.
 */
import {
  type BinaryReadOptions,
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { planOf } from "./wire-plan.js";
import { read } from "./wire-reader.js";
import { measure, write } from "./wire-writer.js";

/** What `fromBinary` gives. @throws Error for bytes that are no such message */
export function decode<D extends DescMessage>(
  schema: D,
  bytes: Uint8Array,
  options?: Partial<BinaryReadOptions>,
): MessageShape<D> {
  const plan = planOf(schema);
  const message = plan && read(plan, bytes);
  return message === undefined ? fromBinary(schema, bytes, options) : (message as MessageShape<D>);
}

/** What `toBinary(schema, create(schema, message))` gives. */
export function encode<D extends DescMessage>(
  schema: D,
  message: MessageInitShape<D>,
  allocate: (length: number) => Uint8Array = newBytes,
): Uint8Array {
  const plan = planOf(schema);
  const length = plan === undefined ? -1 : measure(plan, message);
  if (plan !== undefined && length >= 0) {
    const out = allocate(length);
    write(plan, message, out);
    return out;
  }
  const bytes = toBinary(schema, create(schema, message));
  const out = allocate(bytes.length);
  out.set(bytes);
  return out;
}

/**
 * The same bytes as `encode` gives, for a hash: they are in memory that the next call takes again.
 */
export function encodeForNow<D extends DescMessage>(
  schema: D,
  message: MessageInitShape<D>,
): Uint8Array {
  return encode(schema, message, takeAgain);
}

const again = new Uint8Array(4096);

function takeAgain(length: number): Uint8Array {
  return length <= again.length ? again.subarray(0, length) : newBytes(length);
}

function newBytes(length: number): Uint8Array {
  return new Uint8Array(length);
}
