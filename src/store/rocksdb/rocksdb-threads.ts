/**
 * The threads in which this process reads and writes its RocksDB databases, so that its own thread
 * never waits for a disk: one reads, one writes, for all databases together. They start with the
 * first request and do not keep the process alive when nothing is asked of them.
 */
import { Worker } from "node:worker_threads";
import type { ThreadAnswer, ThreadRequest } from "./rocksdb-messages.js";

/** A request without its number. */
export type Request = ThreadRequest extends infer Each
  ? Each extends ThreadRequest
    ? Omit<Each, "id">
    : never
  : never;

type Waiting = {
  readonly resolve: (values: ArrayBuffer | undefined) => void;
  readonly reject: (error: Error) => void;
};

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
    const worker = new Worker(new URL("./rocksdb-worker.js", import.meta.url));
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

export const readingThread = new DatabaseThread();

/** The only thread that writes, so what is asked first is written first. */
export const writingThread = new DatabaseThread();

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
