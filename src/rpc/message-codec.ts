/** Messages as bytes and methods by name, as both are on the wire. */
import {
  create,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { canonicalEncode } from "../ledger/canonical-encode.js";
import { hasLayout } from "../ledger/message-layout.js";
import { decode } from "../ledger/strict-decode.js";
import { type WireBounds, wireProblem } from "../ledger/wire-bounds.js";
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
 * A message as bytes. What was encoded here stands in a frame of gRPC already, with a byte for "not
 * compressed" and its length in front of it, and can so be sent on any number of streams.
 */
export type EncodedMessage = Buffer & { readonly frame?: Buffer };

/** Bytes of a frame in front of its message. */
export const framePrefixBytes = 5;

/** The frame in which a message is sent. */
export function frameOf(message: EncodedMessage): Buffer {
  if (message.frame !== undefined) return message.frame;
  const framed = allocateFramed(message.length);
  message.copy(framed);
  return framed.frame;
}

/**
 * Encodes a message. One that was made with `create` is encoded once, however many streams it is
 * sent on, so it must not be changed afterwards.
 */
export function encodeMessage<D extends DescMessage>(
  schema: D,
  message: MessageInitShape<D>,
): EncodedMessage {
  const known = encoded.get(message);
  if (known !== undefined) return known;
  const bytes = hasLayout(schema)
    ? canonicalEncode(schema, message, allocateFramed)
    : framed(toBinary(schema, create(schema, message)));
  if ("$typeName" in message) encoded.set(message, bytes);
  return bytes;
}

function framed(bytes: Uint8Array): EncodedMessage {
  const message = allocateFramed(bytes.length);
  message.set(bytes);
  return message;
}

function allocateFramed(length: number): Buffer & { readonly frame: Buffer } {
  const frame = Buffer.allocUnsafe(framePrefixBytes + length);
  frame[0] = 0;
  frame.writeUInt32BE(length, 1);
  const message: Buffer & { frame?: Buffer } = frame.subarray(framePrefixBytes);
  message.frame = frame;
  return message as Buffer & { readonly frame: Buffer };
}

const encoded = new WeakMap<object, EncodedMessage>();

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
