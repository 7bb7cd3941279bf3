/** Documents. */
import { utf8 } from "../../base/bytes.js";
import { violation } from "../violation.js";
import type { Rule } from "./rule.js";

export const mediaTypeCharsMax = 127;
export const documentNameBytesMax = 255;

/** type "/" subtype of RFC 6838 §4.2, then any parameters. */
const mediaTypePattern =
  /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*(?: ?; ?[ -~]+)?$/;

export const documentIsNamed: Rule = {
  id: "document-is-named",
  demands: "A document has a media type of 3 to 127 characters and a name of at most 255 bytes.",
  reasons: ["DOCUMENT_INVALID"],
  check({ record: { payload } }) {
    if (payload.kind !== "document") return undefined;
    const { mediaType, name } = payload;
    if (mediaType.length > mediaTypeCharsMax || !mediaTypePattern.test(mediaType)) {
      const message = "The media type is not one.";
      return violation("DOCUMENT_INVALID", message, "document.media_type");
    }
    if (utf8(name).length <= documentNameBytesMax) return undefined;
    const message = `The name has more than ${documentNameBytesMax} bytes.`;
    return violation("DOCUMENT_INVALID", message, "document.name");
  },
};
