/** Which RocksDB wrote a directory last, and whether this one can read it. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../store-error.js";

/**
 * The oldest RocksDB whose files are read. Before version 0.1.0 this software used RocksDB 6, with
 * Snappy compression, which today's binary does not know, and with its own checksum in each value.
 */
const majorMin = 9;

/**
 * Asked before RocksDB touches the directory.
 *
 * @throws StoreError MISMATCH when the store was written by a RocksDB that is too old
 */
export async function refuseOlderRocksDb(path: string): Promise<void> {
  const version = await writtenByVersion(path);
  if (version === undefined || Number(version.split(".")[0]) >= majorMin) return;
  throw new StoreError(
    "MISMATCH",
    `the store at ${path} was written with RocksDB ${version} by a preview of this software, ` +
      "before version 0.1.0, and cannot be read any more: keep the directory elsewhere and start " +
      "again with an empty one; a node then fetches the ledger from the others",
  );
}

/** RocksDB writes a file OPTIONS-<number> whenever it opens a directory. */
async function writtenByVersion(path: string): Promise<string | undefined> {
  const names = (await readdir(path)).filter((name) => /^OPTIONS-\d+$/.test(name)).sort();
  const newest = names.at(-1);
  if (newest === undefined) return undefined;
  const text = await readFile(join(path, newest), "latin1");
  return /^\s*rocksdb_version=([\d.]+)$/m.exec(text)?.[1];
}
