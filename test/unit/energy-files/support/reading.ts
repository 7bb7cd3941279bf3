/** Reads a file as the import does, in chunks of any size. */
import type { FileItem, FileReader } from "../../../../src/energy-files/file-values.js";
import type { TimeZone } from "../../../../src/energy-files/time-zone.js";

export type ReadingParts = {
  readonly chunkBytes?: number;
  readonly zone?: TimeZone | undefined;
};

const nowMs = Date.UTC(2026, 11, 1);

/** Everything that a reader gives for a file. */
export async function itemsOf(
  reader: FileReader,
  file: string | Uint8Array,
  { chunkBytes, zone }: ReadingParts = {},
): Promise<readonly FileItem[]> {
  const bytes = typeof file === "string" ? Buffer.from(file) : file;
  const items: FileItem[] = [];
  for await (const item of reader(chunksOf(bytes, chunkBytes), { nowMs, zone })) items.push(item);
  return items;
}

export async function* chunksOf(
  bytes: Uint8Array,
  chunkBytes = 65_536,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}
