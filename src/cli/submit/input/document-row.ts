/** A file as one record. */
import { basename, extname } from "node:path";
import { toHex } from "../../../base/bytes.js";
import { document } from "../../../client/submit/records.js";
import { sha256 } from "../../../crypto/hash.js";
import type { Input } from "../../sending/input.js";
import type { RowToSend } from "../../sending/send-run.js";
import { CliError } from "../../text/cli-error.js";
import { formatBytes } from "../../text/output.js";

type DocumentOptions = {
  readonly ownerId: string;
  readonly mediaType?: string;
  readonly name?: string;
  /** 32 bytes: the version that it updates. */
  readonly parent?: Uint8Array;
  /** Longest record of the policy, bytes. */
  readonly recordBytesMax: number;
  /** Unix ms. */
  readonly nowMs: number;
};

/** Media types by extension. Other files are "application/octet-stream". */
const mediaTypes: Readonly<Record<string, string>> = {
  ".csv": "text/csv",
  ".html": "text/html",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".json": "application/json",
  ".md": "text/markdown",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".txt": "text/plain",
  ".xml": "application/xml",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".zip": "application/zip",
};

/**
 * Ids, salt, time, hash of the parent and lengths of a record with a document have less than this.
 */
const envelopeBytes = 512;

/**
 * The one row of a document. Throws `CliError` for a file that is empty or does not fit into a
 * record.
 */
export function documentRow(input: Input, options: DocumentOptions): RowToSend {
  const { ownerId, parent, recordBytesMax, nowMs } = options;
  const name = options.name ?? (input.isStream ? "" : basename(input.label));
  const extension = extname(input.isStream ? name : input.label).toLowerCase();
  const mediaType = options.mediaType ?? mediaTypes[extension] ?? "application/octet-stream";
  const contentBytesMax = recordBytesMax - envelopeBytes - mediaType.length - 4 * name.length;
  if (input.bytes > contentBytesMax) {
    const limit = formatBytes(Math.max(0, contentBytesMax));
    throw new CliError(
      `${input.label} has ${formatBytes(input.bytes)}, and a record of this consortium holds ${limit}`,
      "split the file, or keep it elsewhere and record its digest",
    );
  }
  const content = input.readAll();
  if (content.length === 0) throw new CliError(`${input.label} is empty`, "check the path");
  const parts = { ownerId, mediaType, name, content };
  const build = () =>
    document({ ...parts, timeMs: nowMs, ...(parent === undefined ? {} : { parent }) });
  return {
    line: 0,
    identity: [
      "document",
      ownerId,
      mediaType,
      name,
      toHex(parent ?? new Uint8Array()),
      toHex(sha256(content)),
    ],
    build,
    // The time is this machine's.
    rebuild: build,
  };
}
