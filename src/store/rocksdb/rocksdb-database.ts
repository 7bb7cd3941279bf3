/**
 * One open RocksDB database: what the store asks of it, and how that reaches the two threads in
 * which this process reads and writes, so that its own thread never waits for a disk. One thread
 * reads and one writes, for all databases together. They start with the first request and do not
 * keep the process alive when nothing is asked of them.
 */
import { Worker } from "node:worker_threads";
import type { Entry, RangeOptions, WriteOperation } from "../key-value-store.js";
import { loadBinding, type NativeOptions } from "./rocksdb-binding.js";
import {
  copiedEntries,
  copiedValues,
  packOperations,
  packParts,
  type ThreadAnswer,
  type ThreadRequest,
} from "./rocksdb-messages.js";

/** Every operation rejects with RocksDB's own words. None may come after `close`. */
export type RocksDbDatabase = {
  /** All of one moment. */
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  /** All of one moment. */
  range(options: RangeOptions): Promise<Entry[]>;
  /** One atomic batch; an empty one with `sync` flushes what was written before. */
  write(batch: readonly WriteOperation[], sync: boolean): Promise<void>;
  close(): Promise<void>;
};

export async function openDatabase(path: string, options: NativeOptions): Promise<RocksDbDatabase> {
  const binding = loadBinding();
  const database = binding.db_init(path);
  await new Promise<void>((resolve, reject) => {
    binding.db_open(database, options, (error) => (error ? reject(error) : resolve()));
  });
  const handle = binding.db_get_handle(database);
  return {
    async getMany(keys) {
      const values = await readingThread.ask({ kind: "get", handle, keys: packParts(keys) });
      return values === undefined ? [] : copiedValues(values);
    },
    async range({ gte, lt, reverse = false, limit }) {
      const found = await readingThread.ask({ kind: "range", handle, gte, lt, reverse, limit });
      return found === undefined ? [] : copiedEntries(found);
    },
    async write(batch, sync) {
      await writingThread.ask({ kind: "write", handle, operations: packOperations(batch), sync });
    },
    close: () =>
      new Promise<void>((resolve, reject) => {
        binding.db_close(database, (error) => (error ? reject(error) : resolve()));
      }),
  };
}

/** A request without its number. */
type Request = ThreadRequest extends infer Each
  ? Each extends ThreadRequest
    ? Omit<Each, "id">
    : never
  : never;

type Waiting = {
  readonly resolve: (values: ArrayBuffer | undefined) => void;
  readonly reject: (error: Error) => void;
};

/** Hardly anything that it makes outlives a request; by default V8 takes up to 48 MiB for it. */
const resourceLimits = { maxYoungGenerationSizeMb: 3 };

class DatabaseThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #lastId = 0;
  #queued: ThreadRequest[] = [];

  /** What was found, packed. Rejects with RocksDB's own words. */
  ask(request: Request): Promise<ArrayBuffer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) this.#started().ref();
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve, reject });
      this.#queued.push({ ...request, id: this.#lastId });
      // Requests of one turn travel in one message, as a message costs more than a read.
      if (this.#queued.length === 1) queueMicrotask(() => this.#post());
    });
  }

  #post(): void {
    const requests = this.#queued;
    this.#queued = [];
    this.#started().postMessage(requests, requests.flatMap(buffersOf));
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL("./rocksdb-worker.js", import.meta.url), { resourceLimits });
    worker.on("message", (answers: readonly ThreadAnswer[]) => {
      for (const answer of answers) this.#settle(answer);
      if (this.#waiting.size === 0) worker.unref();
    });
    worker.on("error", (error) => this.#fail(worker, error));
    worker.on("exit", () => this.#fail(worker, new Error("the thread of RocksDB has ended")));
    this.#worker = worker;
    return worker;
  }

  #settle(answer: ThreadAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("failure" in answer) waiting?.reject(new Error(answer.failure));
    else waiting?.resolve(answer.values);
  }

  /** The next request starts another thread. */
  #fail(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }
}

const readingThread = new DatabaseThread();

/** The only thread that writes, so what is asked first is written first. */
const writingThread = new DatabaseThread();

function buffersOf(request: ThreadRequest): ArrayBuffer[] {
  switch (request.kind) {
    case "get":
      return [request.keys];
    case "write":
      return [request.operations];
    case "range":
      return [];
  }
}
