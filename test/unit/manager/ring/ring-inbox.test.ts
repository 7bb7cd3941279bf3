import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { systemTime, type Time } from "../../../../src/base/time.js";
import { RingInbox } from "../../../../src/manager/ring/ring-inbox.js";

describe("the driver sleeps", () => {
  let nowMs: number;
  let timers: { readonly atMs: number; readonly work: () => void }[];
  let made: number;
  let time: Time;
  let inbox: RingInbox;

  /** Lets time go by. */
  const pass = (ms: number) => {
    nowMs += ms;
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    timers = timers.filter(({ atMs }) => atMs > nowMs);
    for (const { work } of due) work();
  };
  const isAwake = async (sleep: Promise<void>) => {
    const asleep = new Promise<"asleep">((resolve) => setImmediate(() => resolve("asleep")));
    return (await Promise.race([sleep, asleep])) !== "asleep";
  };

  beforeEach(() => {
    [nowMs, timers, made] = [1_000, [], 0];
    inbox = new RingInbox({ eventDropped: () => {} });
    time = {
      ...systemTime,
      monotonicMs: () => nowMs,
      after: (delayMs, work) => {
        const timer = { atMs: nowMs + delayMs, work };
        timers.push(timer);
        made += 1;
        const cancel = () => {
          timers = timers.filter((each) => each !== timer);
        };
        return { cancel };
      },
    };
  });

  test("until an event comes, or its time", async () => {
    const first = inbox.sleep(time, 1_500);
    assert.equal(await isAwake(first), false);
    inbox.post({ kind: "wake" });
    assert.equal(await isAwake(first), true);
    inbox.next();
    const second = inbox.sleep(time, 1_500);
    pass(499);
    assert.equal(await isAwake(second), false);
    pass(1);
    assert.equal(await isAwake(second), true);
  });

  test("with one timer for many sleeps, and another one only for an earlier time", async () => {
    for (let sleeps = 0; sleeps < 10; sleeps++) {
      const sleep = inbox.sleep(time, 1_500 + sleeps);
      inbox.wake();
      await sleep;
    }
    assert.equal(made, 1);
    const sleep = inbox.sleep(time, 1_200);
    assert.deepEqual([made, timers.length], [2, 1]);
    pass(200);
    assert.equal(await isAwake(sleep), true);
    const later = inbox.sleep(time, 2_000);
    pass(800);
    assert.equal(await isAwake(later), true);
  });

  test("not at all if something has come meanwhile, and then as before", async () => {
    inbox.wake();
    assert.equal(await isAwake(inbox.sleep(time, 1_500)), true);
    assert.equal(await isAwake(inbox.sleep(time, 1_500)), false);
  });

  test("no longer, and without a timer, once it is closed", async () => {
    const sleep = inbox.sleep(time, 1_500);
    inbox.close();
    assert.equal(await isAwake(sleep), true);
    assert.deepEqual(timers, []);
    assert.equal(await isAwake(inbox.sleep(time, 1_500)), true);
  });
});
