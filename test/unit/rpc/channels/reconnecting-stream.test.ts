import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type OpenedStream,
  ReconnectingStream,
} from "../../../../src/rpc/channels/reconnecting-stream.js";

type Wait = { readonly delayMs: number; readonly work: () => void; cancelled: boolean };

describe("a reconnecting stream", () => {
  /** Opens at once; ends when it is told to. */
  function harness() {
    const waits: Wait[] = [];
    let end = () => {};
    const open = (): OpenedStream<object, object> => {
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      const next = async () => {
        await over;
        return { done: true as const, value: undefined };
      };
      return {
        messages: { [Symbol.asyncIterator]: () => ({ next }) },
        opened: Promise.resolve(),
        write: async () => true,
        writeEncoded: async () => true,
        encode: () => Buffer.alloc(0),
        cancel: () => end(),
      };
    };
    const after = (delayMs: number, work: () => void) => {
      const wait = { delayMs, work, cancelled: false };
      waits.push(wait);
      return {
        cancel: () => {
          wait.cancelled = true;
        },
      };
    };
    const link = new ReconnectingStream({
      open,
      onMessage: () => {},
      backoff: { initialMs: 100, maxMs: 2_000, random: () => 0.5 },
      time: { after },
    });
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    /** The connection ends; what it then waits before the next one. */
    const endAndWait = async () => {
      await settled();
      end();
      await settled();
      const wait = waits.at(-1);
      wait?.work();
      return wait?.delayMs;
    };
    return { link, waits, endAndWait, settled };
  }

  test("waits longer each time for one that ends what it opens", async () => {
    const { link, waits, endAndWait } = harness();
    const delays = [await endAndWait(), await endAndWait(), await endAndWait()];
    assert.deepEqual(delays, [75, 150, 300]);
    assert.ok(waits.filter(({ delayMs }) => delayMs === 10_000).every((wait) => wait.cancelled));
    await link.close();
  });

  test("is back soon after one that stood for a while", async () => {
    const { link, waits, endAndWait, settled } = harness();
    await endAndWait();
    await endAndWait();
    await settled();
    waits.findLast(({ delayMs }) => delayMs === 10_000)?.work();
    assert.equal(await endAndWait(), 75);
    await link.close();
  });
});
