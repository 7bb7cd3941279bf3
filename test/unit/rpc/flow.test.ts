import assert from "node:assert/strict";
import { Duplex, PassThrough, Writable } from "node:stream";
import { describe, test } from "node:test";
import { VoteSchema } from "../../../src/gen/bss/v1/vote_pb.js";
import { Backoff } from "../../../src/rpc/channels/backoff.js";
import { SendQueue } from "../../../src/rpc/channels/send-queue.js";
import { encodeMessage } from "../../../src/rpc/message-codec.js";
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

/** A stream of HTTP/2 as a writer uses it, which tells apart what it was handed together. */
function frameStream(): { stream: Writable; writes: Buffer[][]; finish: () => void } {
  const writes: Buffer[][] = [];
  const callbacks: (() => void)[] = [];
  const stream = new Writable({
    highWaterMark: 64,
    write(chunk, _encoding, callback) {
      writes.push([chunk]);
      callbacks.push(callback);
    },
    writev(chunks, callback) {
      writes.push(chunks.map(({ chunk }) => chunk));
      callbacks.push(callback);
    },
  });
  const finish = () => {
    for (const callback of callbacks.splice(0)) callback();
  };
  return { stream, writes, finish };
}

describe("the message writer above a stream of HTTP/2", () => {
  const limits = { queueMessagesMax: 100, queueBytesMax: 1_000 };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const framed = (...messages: readonly string[]) =>
    Buffer.concat(
      messages.map((text) => {
        const length = Buffer.alloc(5);
        length.writeUInt32BE(text.length, 1);
        return Buffer.concat([length, Buffer.from(text)]);
      }),
    );

  test("hands over in frames, and together, what one turn and its promises write", async () => {
    const above = slowStream();
    const below = frameStream();
    const writer = new MessageWriter(above.stream, { ...limits, below: () => below.stream });
    writer.offer(Buffer.from("one"));
    void writer.write(Buffer.from("two")).then(() => writer.offer(Buffer.from("three")));
    process.nextTick(() => writer.offer(Buffer.from("four")));
    await turn();
    assert.deepEqual(above.written, []);
    assert.equal(below.writes.length, 1);
    assert.deepEqual(Buffer.concat(below.writes[0] ?? []), framed("one", "two", "three", "four"));
    writer.offer(Buffer.from("five"));
    below.finish();
    await turn();
    assert.deepEqual(Buffer.concat(below.writes[1] ?? []), framed("five"));
  });

  test("writes to the call until the stream below may be used, and not again", async () => {
    const above = slowStream();
    const below = frameStream();
    let may = false;
    const writer = new MessageWriter(above.stream, {
      ...limits,
      below: () => (may ? below.stream : undefined),
    });
    writer.offer(Buffer.from("one"));
    await turn();
    assert.deepEqual(above.written, [Buffer.from("one")]);
    may = true;
    writer.offer(Buffer.from("two"));
    may = false;
    writer.offer(Buffer.from("three"));
    await turn();
    assert.equal(above.written.length, 1);
    assert.deepEqual(Buffer.concat(below.writes.flat()), framed("two", "three"));
  });

  test("sends what was encoded once as it is, on any number of streams", async () => {
    const message = encodeMessage(VoteSchema, { height: 5n, managerId: "manager-1" });
    const streams = [frameStream(), frameStream()];
    for (const { stream } of streams) {
      const writer = new MessageWriter(slowStream().stream, { ...limits, below: () => stream });
      writer.offer(message);
    }
    await turn();
    for (const { writes } of streams) assert.equal(writes[0]?.[0], message.frame);
    assert.deepEqual(message.frame, framed(message.toString("latin1")));
  });

  test("waits for room while too many bytes are on their way, and counts them all", async () => {
    const below = frameStream();
    const writer = new MessageWriter(slowStream().stream, {
      queueMessagesMax: 3,
      queueBytesMax: 1_000,
      below: () => below.stream,
    });
    let room = false;
    assert.equal(await writer.write(Buffer.alloc(60_000)), true);
    const waiting = writer.write(Buffer.alloc(10_000)).then((answer) => {
      room = true;
      return answer;
    });
    await turn();
    assert.equal(room, false);
    assert.equal(writer.offer(Buffer.alloc(1)), false);
    below.finish();
    assert.equal(await waiting, true);
    for (const _ of [1, 2, 3]) assert.equal(writer.offer(Buffer.alloc(1)), true);
    assert.equal(writer.offer(Buffer.alloc(1)), false);
  });

  test("loses what is written when the stream below has ended, without an error", async () => {
    const below = frameStream();
    const writer = new MessageWriter(slowStream().stream, { ...limits, below: () => below.stream });
    below.stream.end();
    for (let i = 0; i < 200; i++) assert.equal(writer.offer(Buffer.alloc(1)), i < 100);
    await turn();
    assert.equal(writer.offer(Buffer.alloc(1)), true);
    below.stream.destroy();
    assert.equal(writer.offer(Buffer.alloc(1)), true);
    await turn();
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
