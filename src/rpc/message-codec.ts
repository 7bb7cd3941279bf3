/** Messages as bytes and methods by name, as both are on the wire. */
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { type WireBounds, wireProblem } from "../ledger/wire-bounds.js";
import { decode, encode } from "../ledger/wire-codec.js";
import { RpcError } from "./rpc-error.js";

/** @throws RpcError MESSAGE_MALFORMED, or MESSAGE_TOO_COMPLEX before anything is decoded */
export function decodeMessage<D extends DescMessage>(
  schema: D,
  bytes: Uint8Array,
  bounds: WireBounds,
): MessageShape<D> {
  // A plain Uint8Array: otherwise every bytes field of the message would be a Buffer.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const problem = wireProblem(schema, plain, bounds);
  if (problem?.kind === "malformed") throw malformed(schema, problem.message);
  if (problem !== undefined) {
    const { kind, limit, message } = problem;
    throw new RpcError("MESSAGE_TOO_COMPLEX", `the ${schema.typeName}: ${message}`, {
      metadata: { type: schema.typeName, what: kind, limit: String(limit) },
    });
  }
  try {
    return decode(schema, plain);
  } catch (error) {
    throw malformed(schema, error instanceof Error ? error.message : String(error));
  }
}

function malformed({ typeName }: DescMessage, why: string): RpcError {
  const message = `not a ${typeName}: ${why}`;
  return new RpcError("MESSAGE_MALFORMED", message, { metadata: { type: typeName } });
}

/**
 * Encodes a message. One that was made with `create` is encoded once, however many streams it is
 * sent on, so it must not be changed afterwards.
 */
export function encodeMessage<D extends DescMessage>(
  schema: D,
  message: MessageInitShape<D>,
): Buffer {
  const known = encoded.get(message);
  if (known !== undefined) return known;
  const buffer = encode(schema, message, Buffer.allocUnsafe) as Buffer;
  if ("$typeName" in message) encoded.set(message, buffer);
  return buffer;
}

const encoded = new WeakMap<object, Buffer>();

/** The serializer that grpc-js gets: in this project it sees bytes only. */
export function identityOfBytes(bytes: Buffer): Buffer {
  return bytes;
}

/** "bss.v1.QueryService/GetStatus": the name that roles, metrics and errors use. */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** "/bss.v1.QueryService/GetStatus": HTTP/2's path of a method. */
export function methodPath(method: DescMethod): string {
  return `/${methodName(method)}`;
}
