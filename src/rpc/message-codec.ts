/** Protobuf bytes ⇄ messages at the edge of the process. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { RpcError } from "./rpc-error.js";

/** @throws RpcError MESSAGE_MALFORMED */
export function decodeMessage<D extends DescMessage>(
  schema: D,
  bytes: Uint8Array,
): MessageShape<D> {
  // A plain Uint8Array: otherwise every bytes field of the message would be a Buffer.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return fromBinary(schema, plain);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RpcError("MESSAGE_MALFORMED", `not a ${schema.typeName}: ${why}`, {
      metadata: { type: schema.typeName },
    });
  }
}

/**
 * Encodes a message. One that was made with `create` is encoded once, however many links it is sent
 * on, so it must not be changed after it was handed over.
 */
export function encodeMessage<D extends DescMessage>(
  schema: D,
  message: MessageInitShape<D>,
): Buffer {
  const known = encoded.get(message);
  if (known !== undefined) return known;
  const bytes = toBinary(schema, create(schema, message));
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if ("$typeName" in message) encoded.set(message, buffer);
  return buffer;
}

const encoded = new WeakMap<object, Buffer>();

/** For grpc-js, whose messages are bytes throughout this project. */
export function identityOfBytes(bytes: Buffer): Buffer {
  return bytes;
}
