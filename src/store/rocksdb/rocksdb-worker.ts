/**
 * A thread that reads or writes databases which the node's thread has open, one request after the
 * other. It waits for the disk so that the node's thread need not.
 */
import { parentPort } from "node:worker_threads";
import { assert, defined } from "../../base/assert.js";
import { loadBinding, type NativeDatabase } from "./rocksdb-binding.js";
import {
  packParts,
  type ThreadAnswer,
  type ThreadRequest,
  unpackParts,
} from "./rocksdb-messages.js";

const binding = loadBinding();

assert(parentPort !== null, "this file runs as a worker");
const port = parentPort;

/** Who asks for writes at once may rely on their order: after one that failed none is made. */
port.on("message", (requests: readonly ThreadRequest[]) => {
  let failure: string | undefined;
  const answers = requests.map((request): ThreadAnswer => {
    if (request.kind !== "write") return answerTo(request);
    const answer = failure === undefined ? answerTo(request) : { id: request.id, failure };
    if ("failure" in answer) failure = answer.failure;
    return answer;
  });
  const moved = answers.flatMap((answer) =>
    "values" in answer && answer.values !== undefined ? [answer.values] : [],
  );
  port.postMessage(answers, moved);
});

function answerTo(request: ThreadRequest): ThreadAnswer {
  try {
    return { id: request.id, values: perform(request, binding.db_init(request.handle)) };
  } catch (error) {
    return { id: request.id, failure: error instanceof Error ? error.message : String(error) };
  }
}

function perform(request: ThreadRequest, database: NativeDatabase): ArrayBuffer | undefined {
  switch (request.kind) {
    case "get": {
      const keys = unpackParts(request.keys).map((key) => defined(key, "a key"));
      const values = binding.db_get_many_sync(database, keys, undefined);
      return packParts(values.map((value) => (value === null ? tooMuch() : value)));
    }
    case "range": {
      const { gte, lt, reverse, limit } = request;
      const { rows, finished } = binding.db_query(database, {
        gte: toBuffer(gte),
        lt: toBuffer(lt),
        reverse,
        limit,
        // Without this, RocksDB reads the next entry before it checks the limit; it may be damaged.
        ...(limit === 1 ? { highWaterMarkBytes: 0 } : {}),
        keyEncoding: "buffer",
        valueEncoding: "buffer",
      });
      return finished || rows.length >= 2 * limit ? packParts(rows) : tooMuch();
    }
    case "write": {
      const parts = unpackParts(request.operations);
      const batch = binding.batch_init();
      for (let i = 0; i < parts.length; i += 2) {
        const key = defined(parts[i], "a key");
        const value = parts[i + 1];
        if (value === undefined) binding.batch_del(batch, key, undefined);
        else binding.batch_put(batch, key, value, undefined);
      }
      binding.batch_write(database, batch, { sync: request.sync });
      return undefined;
    }
  }
}

/** RocksDB ends its answers at 2 GiB, which nobody asks for. */
function tooMuch(): never {
  throw new Error("IO error: more than 2 GiB in one read");
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
