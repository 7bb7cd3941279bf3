/**
 * What a store could not do, by kind. After a failed write RocksdbStore takes no other one
 * (rocksdb-store.ts), and the node ends with the advice in the message (cli/nodes/run-node.ts).
 */
export type StoreErrorCode =
  | "LOCKED"
  | "CORRUPT"
  | "MISMATCH"
  | "DISK_FULL"
  | "TOO_MANY_FILES"
  | "CLOSED"
  | "IO";

/**
 * A store that could not do its work. The message tells an operator what to do.
 *
 * - `LOCKED`: another opener, in this process or another one, holds the directory.
 * - `CORRUPT`: what is on disk is not what was written.
 * - `MISMATCH`: the store belongs to another consortium or role, or has another format.
 * - `DISK_FULL`: no space or quota left.
 * - `TOO_MANY_FILES`: the process, or the machine, may open no more files.
 * - `CLOSED`: the operation came after `close`; a bug of the caller, or a race at shutdown.
 * - `IO`: everything else that the operating system refused.
 */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  /** What happened, without the advice that the message adds to it. */
  readonly what: string;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: ErrorOptions & { readonly what?: string } = {},
  ) {
    super(message, options);
    this.code = code;
    this.what = options.what ?? message;
  }
}

/**
 * Names the failure behind an error of RocksDB or of the file system, for instance a full disk.
 * Both tell it in their text only: RocksDB as `<status>: <detail>`, Node as `<errno name>:
 * <detail>`.
 */
export function toStoreError(cause: unknown, directory: string): StoreError {
  if (cause instanceof StoreError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  const code = codeOf(detail);
  return new StoreError(code, `${advice[code](directory)} (${detail})`, { cause, what: detail });
}

/** Refuses a write after one that failed: only reopening shows whether that one is on disk. */
export function refusedAfterFailure(failure: StoreError): StoreError {
  return new StoreError(
    failure.code,
    `no write is accepted after one that failed; stop and open the store again: ${failure.message}`,
    { cause: failure },
  );
}

export function closedError(): StoreError {
  return new StoreError("CLOSED", advice.CLOSED(""));
}

const advice: Readonly<Record<StoreErrorCode, (directory: string) => string>> = {
  LOCKED: (directory) =>
    `the store at ${directory} is in use: stop the node that has it open, ` +
    "or configure another directory",
  CORRUPT: (directory) =>
    `the store at ${directory} is damaged: keep it for inspection, check the disk, ` +
    "and let the node catch up into an empty directory",
  DISK_FULL: (directory) =>
    `no space is left for the store at ${directory}: free or add space (old logs, snapshots ` +
    "and the copies that a repair left can go), then start the node again",
  TOO_MANY_FILES: (directory) =>
    `no more files can be opened for the store at ${directory}: raise the limit of open files ` +
    "(LimitNOFILE=65536 in the service's unit, --ulimit nofile in Docker, or ulimit -n), " +
    "then start the node again",
  MISMATCH: (directory) =>
    `the store at ${directory} is not this node's: configure the directory that belongs to it, ` +
    "or an empty one",
  CLOSED: () => "the store is closed",
  IO: (directory) =>
    `the store at ${directory} cannot be read or written: ` +
    "check the path, its permissions and the disk",
};

/** Something on disk is not what was written. */
export function isDamage(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === "CORRUPT";
}

/** Something that a store needs has run out, which says nothing about what is stored. */
export function isShortage(error: unknown): error is StoreError {
  return error instanceof StoreError && shortages.has(error.code);
}

const shortages: ReadonlySet<StoreErrorCode> = new Set(["DISK_FULL", "TOO_MANY_FILES"]);

function codeOf(detail: string): StoreErrorCode {
  // Corruption first, as RocksDB quotes the I/O error behind a damaged file.
  if (/^Corruption\b/.test(detail)) return "CORRUPT";
  if (/While lock file|lock hold by current process/.test(detail)) return "LOCKED";
  if (/No space left on device|Disk quota exceeded|\bENOSPC\b|\bEDQUOT\b/i.test(detail)) {
    return "DISK_FULL";
  }
  if (/Too many open files|\bEMFILE\b|\bENFILE\b/i.test(detail)) return "TOO_MANY_FILES";
  return "IO";
}
