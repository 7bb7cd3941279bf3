/** What both of a storage node's stores do about files that RocksDB cannot open or read. */
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { renewedCertificateName } from "../config/node-config.js";
import { isDamage, StoreError } from "../store/store-error.js";

/**
 * Beside the mark's store from before it is opened with damage until it says itself that the mark
 * is lost: once RocksDB has opened a damaged log, or files were mended, nothing shows it any more.
 */
export const lostNoteName = "mark-lost";

/** A missing file is damage, too, but RocksDB reports it as an error of the system. */
export function isReparable(error: unknown): error is StoreError {
  if (isDamage(error)) return true;
  if (!(error instanceof StoreError) || error.code !== "IO") return false;
  return /No such file or directory|file is too short|truncated/.test(error.message);
}

/** Moves files into a directory beside them, which works on a mounted data directory, too. */
export function putAside(directory: string): string {
  let number = 1;
  while (existsSync(join(directory, `damaged-${number}`))) number += 1;
  const aside = join(directory, `damaged-${number}`);
  mkdirSync(aside, { mode: 0o700 });
  for (const name of readdirSync(directory)) {
    // These lie beside RocksDB's files; they are not what is damaged.
    if (name === renewedCertificateName || name === lostNoteName) continue;
    if (name.startsWith("damaged-")) continue;
    renameSync(join(directory, name), join(aside, name));
  }
  return aside;
}
