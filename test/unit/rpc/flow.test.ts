import assert from "node:assert/strict";
import { Duplex, PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { Backoff } from "../../../src/rpc/channels/backoff.js";
import { SendQueue } from "../../../src/rpc/channels/send-queue.js";
import { MessageReader } from "../../../src/rpc/message-reader.js";
import { MessageWriter } from "../../../src/rpc/message-writer.js";

describe("the backoff", () => {
  test("doubles up to its cap and starts over after a success", () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 1_000, random: () => 1 });
    const waits = Array.from({ length: 6 }, () => backoff.nextMs());
    assert.deepEqual(waits, [100, 200, 400, 800, 1_000, 1_000]);
    backoff.reset();
    assert.equal(backoff.nextMs(), 100);
  });

  test("draws from the upper half of the wait", () => {
    assert.equal(new Backoff({ initialMs: 100, maxMs: 1_000, random: () => 0 }).nextMs(), 50);
    const wait = new Backoff().nextMs();
    assert.ok(wait >= 50 && wait < 100);
  });
});

describe("the send queue", () => {
  const bytes = (length: number, fill = 0) => Buffer.alloc(length, fill);

  test("gives messages back in their order", () => {
    const queue = new SendQueue({ messagesMax: 3, bytesMax: 100, dropPolicy: "oldest" });
    for (const fill of [1, 2, 3]) assert.ok(queue.push(bytes(1, fill)));
    assert.deepEqual([queue.shift()?.[0], queue.shift()?.[0], queue.shift()?.[0]], [1, 2, 3]);
    assert.equal(queue.shift(), undefined);
    assert.equal(queue.bytes, 0);
  });

  test("drops the oldest until the new one fits, by number and by bytes", () => {
    let told = 0;
    const options = { messagesMax: 3, bytesMax: 10, dropPolicy: "oldest" } as const;
    const queue = new SendQueue({ ...options, onDropped: (messages) => (told += messages) });
    for (const fill of [1, 2, 3, 4]) queue.push(bytes(2, fill));
    assert.equal(queue.dropped, 1);
    assert.ok(queue.push(bytes(8, 5)));
    assert.equal(queue.dropped, 3);
    assert.equal(told, 3);
    assert.deepEqual([queue.shift()?.[0], queue.shift()?.[0]], [4, 5]);
  });

  test("drops the new one when that is the policy", () => {
    const queue = new SendQueue({ messagesMax: 1, bytesMax: 10, dropPolicy: "newest" });
    assert.equal(queue.push(bytes(1, 1)), true);
    assert.equal(queue.push(bytes(1, 2)), false);
    assert.equal(queue.dropped, 1);
    assert.equal(queue.shift()?.[0], 1);
  });

  test("drops a message that can never fit and keeps the others", () => {
    const queue = new SendQueue({ messagesMax: 3, bytesMax: 10, dropPolicy: "oldest" });
    queue.push(bytes(1));
    assert.equal(queue.push(bytes(11)), false);
    assert.equal(queue.length, 1);
    assert.equal(queue.dropped, 1);
  });
});

/** A stream whose writes stay unfinished until `finishOne` is called. */
function slowStream(): { stream: Duplex; finishOne: () => void; written: Buffer[] } {
  const written: Buffer[] = [];
  const callbacks: (() => void)[] = [];
  const stream = new Duplex({
    objectMode: true,
    highWaterMark: 2,
    read() {},
    write(chunk, _encoding, callback) {
      written.push(chunk);
      callbacks.push(callback);
    },
  });
  return { stream, written, finishOne: () => callbacks.shift()?.() };
}

describe("the message writer", () => {
  const limits = { queueMessagesMax: 3, queueBytesMax: 10 };

  test("waits for room, and tells those who wait when it is over", async () => {
    const { stream, finishOne } = slowStream();
    const writer = new MessageWriter(stream, limits);
    assert.equal(await writer.write(Buffer.alloc(1)), true);
    const waiting = writer.write(Buffer.alloc(1));
    finishOne();
    await new Promise((resolve) => setImmediate(resolve));
    finishOne();
    assert.equal(await waiting, true);
    await writer.write(Buffer.alloc(1));
    const late = writer.write(Buffer.alloc(1));
    writer.close();
    assert.equal(await late, false);
    assert.equal(await writer.write(Buffer.alloc(1)), false);
    assert.equal(writer.offer(Buffer.alloc(1)), false);
    assert.equal(writer.over, true);
  });

  test("offers within its limits only, but takes any message when it is empty", async () => {
    const { stream, finishOne, written } = slowStream();
    const writer = new MessageWriter(stream, limits);
    assert.equal(writer.offer(Buffer.alloc(100)), true);
    assert.equal(writer.offer(Buffer.alloc(1)), false);
    finishOne();
    await new Promise((resolve) => setImmediate(resolve));
    for (const _ of [1, 2, 3]) assert.equal(writer.offer(Buffer.alloc(1)), true);
    assert.equal(writer.offer(Buffer.alloc(1)), false);
    assert.ok(written.length >= 2);
  });
});

describe("the message reader", () => {
  const options = {
    decode: (bytes: Buffer) => bytes.toString("utf8"),
    failureOf: (error: unknown) => error as Error,
  };

  test("gives what came before an error, then the error", async () => {
    const stream = new PassThrough({ objectMode: true });
    const reader = new MessageReader(stream, options);
    stream.write(Buffer.from("a"));
    stream.write(Buffer.from("b"));
    stream.end();
    stream.emit("error", new Error("broken"));
    const got: string[] = [];
    const read = async () => {
      for await (const message of reader) got.push(message);
    };
    await assert.rejects(read(), /broken/);
    assert.deepEqual(got, ["a", "b"]);
  });

  test("leaves the stream alone when the reader stops early", async () => {
    const stream = new PassThrough({ objectMode: true });
    stream.write(Buffer.from("a"));
    for await (const message of new MessageReader(stream, options)) {
      assert.equal(message, "a");
      break;
    }
    assert.equal(stream.destroyed, false);
  });

  test("ends at once on a stream that is destroyed", async () => {
    const stream = new PassThrough({ objectMode: true });
    stream.destroy();
    for await (const _ of new MessageReader(stream, options)) assert.fail();
  });
});
