/** Documents on the command line. How a file becomes one is in submit/input/document-row.ts. */
import type { Document } from "../../gen/bss/v1/record_pb.js";
import { formatBytes } from "../text/output.js";
import type { CliKind } from "./kind.js";

export const document: CliKind<Document> = {
  inputName: "document",
  noun: "document",
  isSubmitted: true,
  rows: undefined,
  isTimedByClock: true,
  summary: ({ name, mediaType, content }) =>
    `document: ${name || "unnamed"}, ${mediaType}, ${formatBytes(content.length)}`,
  fields: ({ mediaType, name, content }) => [
    ["media_type", mediaType],
    ["name", name],
    ["content", `${formatBytes(content.length)}; --content FILE writes it`],
  ],
  json: ({ mediaType, name, content }) => ({
    media_type: mediaType,
    name,
    content_base64: Buffer.from(content).toString("base64"),
  }),
};
