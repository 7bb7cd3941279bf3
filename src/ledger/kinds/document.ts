/** Documents: a named file of some media type. */
import { utf8 } from "../../base/bytes.js";
import { ok } from "../../base/result.js";
import { RecordKind as StoredKind } from "../../gen/bss/store/v1/state_pb.js";
import type { Document } from "../../gen/bss/v1/record_pb.js";
import { violation } from "../violation.js";
import type { RecordKind, Rule } from "./kind.js";

export type DocumentPayload = {
  readonly kind: "document";
  readonly mediaType: string;
  readonly name: string;
  readonly content: Uint8Array;
};

const mediaTypeCharsMax = 127;
const documentNameBytesMax = 255;

/** type "/" subtype of RFC 6838 §4.2, then any parameters. */
const mediaTypePattern =
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*(?: ?; ?[ -~]+)?$/;

const documentIsNamed: Rule<DocumentPayload> = {
  id: "document-is-named",
  demands: "A document has a media type of 3 to 127 characters and a name of at most 255 bytes.",
  reasons: ["DOCUMENT_INVALID"],
  check({ record: { payload } }) {
    const { mediaType, name } = payload;
    if (mediaType.length > mediaTypeCharsMax || !mediaTypePattern.test(mediaType)) {
      const message = `The media type is not of the form type/subtype, at most ${mediaTypeCharsMax} long.`;
      return violation("DOCUMENT_INVALID", message, "document.media_type");
    }
    if (utf8(name).length <= documentNameBytesMax) return undefined;
    const message = `The name has more than ${documentNameBytesMax} bytes.`;
    return violation("DOCUMENT_INVALID", message, "document.name");
  },
};

export const document: RecordKind<Document, DocumentPayload> = {
  label: "document",
  stored: StoredKind.DOCUMENT,
  parse: ({ mediaType, name, content }) => ok({ kind: "document", mediaType, name, content }),
  rules: [documentIsNamed],
  signatureRules: [],
  whyTooEarly: () => undefined,
  addStateKeys: () => undefined,
  energy: () => [],
  apply: () => undefined,
  intervals: () => 0,
  decodedBytes: () => 0,
  parties: () => [],
  meterIds: () => [],
};
