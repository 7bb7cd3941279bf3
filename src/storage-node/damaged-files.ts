/** What both of a storage node's stores do about files that RocksDB cannot open or read. */
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { isRocksDbFile } from "../store/rocksdb/rocksdb-repair.js";
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

/**
 * Moves a store's files into a directory beside them, which works on a mounted data directory, too.
 * What else lies there stays: a renewed certificate, or a signing key with its mark.
 */
export function putAside(directory: string): string {
  let number = 1;
  while (existsSync(join(directory, `damaged-${number}`))) number += 1;
  const aside = join(directory, `damaged-${number}`);
  mkdirSync(aside, { mode: 0o700 });
  for (const name of readdirSync(directory).filter(isRocksDbFile)) {
    renameSync(join(directory, name), join(aside, name));
  }
  return aside;
}
