/**
 * How long the headers of a request may be for a server, and those of an answer for a client.
 *
 * HPACK can pack hundreds of kilobytes into 200 bytes, and grpc-js makes an object of everything
 * between two commas of a binary header, before anybody can look at the call. HTTP/2's own limit
 * (SETTINGS_MAX_HEADER_LIST_SIZE) binds the other end only once it has confirmed it, which it need
 * not do, and grpc-js sets none for clients. So headers are checked again at the point where they
 * become metadata. When a server starts it checks that grpc-js still passes there.
 */
import type { IncomingHttpHeaders } from "node:http2";
import { Metadata } from "@grpc/grpc-js";

/** For a request. This project's clients send about 300 bytes. */
export const requestHeaderBytesMax = 16 * 1024;
/** For an answer: a node's error with its details has at most about 40 KiB. */
export const answerHeaderBytesMax = 64 * 1024;
/** For the binary headers of one request or answer. */
const binaryValuesMax = 64;

/** Empty metadata that stand for headers that were too long. */
const refused = new WeakSet<Metadata>();

/** Whether the headers of a request were too long, and were not read. */
export function areRefusedHeaders(metadata: Metadata): boolean {
  return refused.has(metadata);
}

type Reader = typeof Metadata.fromHttp2Headers;

const read: Reader = Metadata.fromHttp2Headers;

const boundedRead: Reader = (headers) => {
  const isRequest = headers[":method"] !== undefined;
  const bytesMax = isRequest ? requestHeaderBytesMax : answerHeaderBytesMax;
  if (areWithin(headers, bytesMax)) return read.call(Metadata, headers);
  // For a client this error fails the call; on a server it would end the process.
  if (!isRequest) throw new Error("the headers of the answer are longer than a node may send");
  const none = new Metadata();
  refused.add(none);
  return none;
};

/** From now on grpc-js reads headers within these bounds only; to be called before any call. */
export function boundHeaders(): void {
  Metadata.fromHttp2Headers = boundedRead;
}

function areWithin(headers: IncomingHttpHeaders, bytesMax: number): boolean {
  let bytes = 0;
  let values = 0;
  for (const [name, value] of Object.entries(headers)) {
    for (const text of Array.isArray(value) ? value : [value ?? ""]) {
      bytes += name.length + text.length;
      if (bytes > bytesMax) return false;
      if (name.endsWith("-bin")) values += text.split(",", binaryValuesMax + 1).length;
      if (values > binaryValuesMax) return false;
    }
  }
  return true;
}
