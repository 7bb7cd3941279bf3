import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { toHex } from "../base/bytes.js";
import { randomBytes } from "../crypto/random.js";

/**
 * Writes a file that others may read (0644), or puts it in the place of an old one: at no moment
 * does anybody find half of it, also after a crash.
 */
export function replacePublicFile(file: string, content: string): void {
  const temporary = `${file}.${toHex(randomBytes(6))}.tmp`;
  try {
    const descriptor = openSync(temporary, "wx", 0o600);
    try {
      const bytes = Buffer.from(content);
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(descriptor, bytes, written);
      }
      fchmodSync(descriptor, 0o644);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}
