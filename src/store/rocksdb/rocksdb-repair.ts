/**
 * Mends a directory in which RocksDB meets damage. The package has no repair of RocksDB's own, so
 * everything that can still be read is copied into a new database, which then takes the place of
 * the damaged one:
 *
 *     repaired/   being copied; a repair that was interrupted begins again
 *     replacing/  complete; RocksDB's damaged files beside it are removed, and no others
 *     replaced/   only the new files are left; they move up into the directory
 *
 * A name changes when its step is done and durable, so that opening can go on where a crash or a
 * power failure left it. For a while the copy needs as much space again as the damaged files.
 */
import { existsSync } from "node:fs";
import { mkdir, open as openFile, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compareBytes, toHex } from "../../base/bytes.js";
import type { KeyValueStore } from "../key-value-store.js";
import { isDamage, StoreError, toStoreError } from "../store-error.js";

/** Below every key, and above every key. */
const firstKey = Uint8Array.of(0);
const endKey = Uint8Array.of(0xff);

/** The end of damage is searched with keys of at least this many bytes. */
const searchedBytesMin = 16;

/** Entries read at once; a sealed record has up to some MiB. */
const pageEntries = 64;

/** How RocksDB names its files. */
const ownNames = [
  /^(CURRENT|IDENTITY|LOCK)$/,
  /^LOG(\.old\.\d+)?$/,
  /^(MANIFEST|OPTIONS)-\d+(\.dbtmp)?$/,
  /^\d+\.(log|sst|ldb|blob|dbtmp)$/,
];

/** Whether a file in a store's directory is RocksDB's; no other one is moved or removed. */
export function isRocksDbFile(name: string): boolean {
  return ownNames.some((pattern) => pattern.test(name));
}

const steps = { copying: "repaired", removing: "replacing", moving: "replaced" } as const;

type Open = (path: string, createIfMissing: boolean) => Promise<KeyValueStore>;

/** See `repairRocksDb`. `open` opens a directory that nobody has open. */
export async function repairDirectory(
  directory: string,
  open: Open,
  opened?: KeyValueStore,
): Promise<void> {
  const path = resolve(directory);
  const copy = join(path, steps.copying);
  try {
    const damaged = opened ?? (await open(path, false));
    try {
      await rm(copy, { recursive: true, force: true });
      await mkdir(copy, { mode: 0o700 });
      await copyInto(copy, damaged, open);
    } finally {
      // Closing may fail because of the damage that is being repaired.
      await damaged.close().catch(() => {});
    }
    await renameDurably(path, steps.copying, steps.removing);
    await finishRepair(path);
  } catch (cause) {
    await rm(copy, { recursive: true, force: true });
    throw toStoreError(cause, path);
  }
}

/** Goes on with a repair whose copy is complete; otherwise does nothing. */
export async function finishRepair(path: string): Promise<void> {
  if (existsSync(join(path, steps.removing))) {
    for (const name of await readdir(path)) {
      if (isRocksDbFile(name)) await rm(join(path, name));
    }
    await renameDurably(path, steps.removing, steps.moving);
  }
  const moving = join(path, steps.moving);
  if (!existsSync(moving)) return;
  for (const name of await readdir(moving)) await rename(join(moving, name), join(path, name));
  await syncDirectory(path);
  await rmdir(moving);
}

/**
 * For readers of a store: only the node itself finishes its repair, and may be doing so now.
 *
 * @throws StoreError IO
 */
export function refuseUnfinishedRepair(path: string): void {
  if (![steps.removing, steps.moving].some((step) => existsSync(join(path, step)))) return;
  const message = `a repair of the store at ${path} was interrupted: start the node, which finishes it`;
  throw new StoreError("IO", message);
}

async function copyInto(path: string, damaged: KeyValueStore, open: Open): Promise<void> {
  const copy = await open(path, true);
  try {
    await copyReadable(damaged, copy);
  } finally {
    await copy.close();
  }
}

/** Copies every entry that can be read, and skips as few others as possible. */
async function copyReadable(from: KeyValueStore, to: KeyValueStore): Promise<void> {
  let gte: Uint8Array = firstKey;
  let limit = pageEntries;
  for (;;) {
    const page = await readable(from, gte, limit);
    if (page === undefined) {
      if (limit > 1) limit = Math.ceil(limit / 4);
      else gte = await nextReadable(from, gte);
      continue;
    }
    await to.write(
      page.map(([key, value]) => ({ type: "put", key, value })),
      "buffered",
    );
    const last = page.at(-1);
    if (last === undefined || page.length < limit) break;
    gte = Uint8Array.of(...last[0], 0);
    limit = Math.min(pageEntries, limit * 2);
  }
  await to.write([], "sync");
}

/** Undefined when it meets damage. */
async function readable(from: KeyValueStore, gte: Uint8Array, limit: number) {
  try {
    return await from.range({ gte, lt: endKey, limit });
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}

/**
 * The first key behind the damage that begins at `gte`. The search strides ahead, doubling its
 * stride until something can be read, and then halves the last stride. It takes keys as numbers of
 * `gte`'s length.
 */
async function nextReadable(from: KeyValueStore, gte: Uint8Array): Promise<Uint8Array> {
  const digits = 2 * Math.max(gte.length, searchedBytesMin);
  const base = BigInt(`0x${toHex(gte).padEnd(digits, "0")}`);
  const toKey = (number: bigint): Uint8Array | undefined => {
    const key = Buffer.from(number.toString(16).padStart(digits, "0"), "hex");
    return 2 * key.length === digits && compareBytes(key, endKey) < 0 ? key : undefined;
  };
  const isReadable = async (stride: bigint) => {
    const key = toKey(base + stride);
    return key === undefined || (await readable(from, key, 1)) !== undefined;
  };
  let damaged = 0n;
  let stride = 1n;
  while (!(await isReadable(stride))) {
    damaged = stride;
    stride *= 2n;
  }
  while (stride - damaged > 1n) {
    const middle = (stride + damaged) / 2n;
    if (await isReadable(middle)) stride = middle;
    else damaged = middle;
  }
  return toKey(base + stride) ?? endKey;
}

async function renameDurably(path: string, from: string, to: string): Promise<void> {
  await syncDirectory(join(path, from));
  await rename(join(path, from), join(path, to));
  await syncDirectory(path);
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await openFile(path, "r");
  await handle.sync().finally(() => handle.close());
}
