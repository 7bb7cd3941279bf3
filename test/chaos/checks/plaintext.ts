/** Looks for text that only managers and parties may see. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

const chunkBytes = 4 * 1024 * 1024;

/** Files at or below `paths` that hold one of the texts, and how much was read. */
export function findPlaintext(
  paths: readonly string[],
  texts: readonly string[],
): { readonly files: readonly string[]; readonly bytesRead: number } {
  const needles = texts.map((text) => Buffer.from(text));
  const files: string[] = [];
  let bytesRead = 0;
  for (const file of paths.flatMap(filesAt)) {
    bytesRead += statSync(file).size;
    if (holds(file, needles)) files.push(file);
  }
  return { files, bytesRead };
}

function filesAt(path: string): readonly string[] {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((name) => join(path, name))
    .filter((file) => statSync(file).isFile());
}

/** Reads in chunks that overlap, so that no text falls between two. */
function holds(file: string, needles: readonly Buffer[]): boolean {
  const overlap = Math.max(0, ...needles.map(({ length }) => length - 1));
  const buffer = Buffer.alloc(chunkBytes + overlap);
  const descriptor = openSync(file, "r");
  try {
    let kept = 0;
    for (;;) {
      const read = readSync(descriptor, buffer, kept, chunkBytes, null);
      if (read === 0) return false;
      const part = buffer.subarray(0, kept + read);
      if (needles.some((needle) => part.includes(needle))) return true;
      kept = Math.min(overlap, part.length);
      buffer.copyWithin(0, part.length - kept, part.length);
    }
  } finally {
    closeSync(descriptor);
  }
}
