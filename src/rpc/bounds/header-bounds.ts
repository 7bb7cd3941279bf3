/**
 * How long the headers of a call may be, as a server gets them and as a caller gets an answer's.
 *
 * HPACK lets 200 bytes stand for hundreds of kilobytes, and grpc-js makes an object of everything
 * between two commas of a binary header, before anybody can look at the call. HTTP/2's own limit
 * (SETTINGS_MAX_HEADER_LIST_SIZE) holds from when the other end has confirmed it, so whoever does
 * not confirm it is not bound, and grpc-js sets none for clients. So the place where headers become
 * metadata is bounded as well; the start of a server checks that grpc-js still passes there.
 */
import type { IncomingHttpHeaders } from "node:http2";
import { Metadata } from "@grpc/grpc-js";

/** Of a request. Those of this project's clients have about 300 bytes. */
export const requestHeaderBytesMax = 16 * 1024;
/** Of an answer: an error of a node, with its details, has at most about 40 KiB. */
export const answerHeaderBytesMax = 64 * 1024;
/** In the binary headers of a request or an answer. */
const binaryValuesMax = 64;

/** Metadata that stand for headers which are too long. */
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
  // A caller's call fails by what is thrown here; a server's process would end by it.
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
