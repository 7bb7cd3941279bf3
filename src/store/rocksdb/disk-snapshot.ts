/**
 * A second view of a RocksDB directory that is open: what is on the disk, without what its owner
 * has in memory. RocksDB does not open a directory twice, so the view is a directory of its own.
 * Sorted files never change, so it has links to them. Logs are copied, because opening cuts off the
 * torn end of the last log, which must not happen to the log that the owner appends to.
 *
 * Files come and go meanwhile, and a log is removed once its content is in a sorted file. So the
 * order of copying matters: logs, the newest first, so that no log is short if a later one is
 * there; sorted files; the list of files (the manifest); sorted files that have come since. If a
 * file went away in between, opening fails, and the caller may try again.
 */
import { constants, existsSync } from "node:fs";
import { copyFile, link, mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type KeyValueStore, scanPages } from "../key-value-store.js";
import { StoreError, toStoreError } from "../store-error.js";
import { openRocksDb } from "./rocksdb-store.js";

const prefix = "snapshot-";

/** `blockCacheBytes`: memory for blocks read. Writes are refused. Closing removes the links. */
export async function openDiskSnapshot(
  directory: string,
  blockCacheBytes: number,
): Promise<KeyValueStore> {
  const path = resolve(directory);
  const snapshot = join(path, `${prefix}${process.pid}`);
  const remove = () => rm(snapshot, { recursive: true, force: true });
  try {
    await remove();
    await fillSnapshot(path, snapshot);
    const kv = await openRocksDb(snapshot, { createIfMissing: false, blockCacheBytes });
    return readOnly(kv, remove);
  } catch (cause) {
    await remove();
    throw toStoreError(cause, path);
  }
}

/** Makes the directory `snapshot`, and in it what opening needs of the one at `path`. */
export async function fillSnapshot(path: string, snapshot: string): Promise<void> {
  await mkdir(snapshot, { mode: 0o700 });
  await copyLogs(path, snapshot);
  await linkAll(path, snapshot, /\.sst$/);
  for (const name of await namesIn(path, /^(CURRENT|MANIFEST-\d+|OPTIONS-\d+|IDENTITY)$/)) {
    await copyFile(join(path, name), join(snapshot, name));
  }
  await linkAll(path, snapshot, /\.sst$/);
}

/** Removes snapshots of processes that ended without closing them: their links keep files alive. */
export async function removeOldSnapshots(path: string): Promise<void> {
  if (!existsSync(path)) return;
  for (const name of await namesIn(path, /^snapshot-\d+$/)) {
    if (name === `${prefix}${process.pid}`) continue;
    await rm(join(path, name), { recursive: true, force: true });
  }
}

function readOnly(kv: KeyValueStore, onClosed: () => Promise<void>): KeyValueStore {
  return {
    get: (key) => kv.get(key),
    getMany: (keys) => kv.getMany(keys),
    range: (options) => kv.range(options),
    scan: (options) => scanPages(kv, options),
    write: () => Promise.reject(new StoreError("IO", "a snapshot of a store takes no writes")),
    close: () => kv.close().finally(onClosed),
  };
}

async function namesIn(path: string, pattern: RegExp): Promise<string[]> {
  return (await readdir(path)).filter((name) => pattern.test(name));
}

async function copyLogs(path: string, snapshot: string): Promise<void> {
  const logs = await namesIn(path, /^\d+\.log$/);
  for (const name of logs.sort((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))) {
    try {
      await copyFile(join(path, name), join(snapshot, name), constants.COPYFILE_FICLONE);
    } catch (error) {
      // Gone since it was listed: a sorted file holds what was in it.
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }
}

/** Copies where the file system has no links. */
async function linkAll(path: string, snapshot: string, pattern: RegExp): Promise<void> {
  const there = new Set(await readdir(snapshot));
  for (const name of await namesIn(path, pattern)) {
    if (there.has(name)) continue;
    const [from, to] = [join(path, name), join(snapshot, name)];
    try {
      await link(from, to);
    } catch (error) {
      // Gone since it was listed: the manifest that is copied later does not need it.
      if (isErrno(error, "ENOENT")) continue;
      await copyFile(from, to, constants.COPYFILE_FICLONE);
    }
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
