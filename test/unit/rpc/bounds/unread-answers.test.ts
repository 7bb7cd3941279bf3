import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionEnds } from "../../../../src/rpc/bounds/server-connections.js";
import { defaultAnswerLimits } from "../../../../src/rpc/bounds/server-limits.js";
import { UnreadAnswers } from "../../../../src/rpc/bounds/unread-answers.js";
import type { Role } from "../../../../src/rpc/tls/tls-identity.js";

const MiB = 2 ** 20;
const listBlocks = "bss.v1.QueryService/ListBlocks";

describe("the account of answers", () => {
  let unread: (number | undefined)[] = [];
  /** What each connection has taken, by its port. */
  const sent = new Map<number | undefined, number>();
  let answers = account();

  let busyShare = 0;
  let isPressed = false;

  beforeEach(() => {
    unread = [];
    sent.clear();
    [busyShare, isPressed] = [0, false];
    answers = account();
  });

  function account(
    limits: Partial<typeof defaultAnswerLimits> = {},
    unreadSweeps = 3,
  ): UnreadAnswers {
    return new UnreadAnswers({
      limits: { ...defaultAnswerLimits, ...limits },
      unreadSweeps,
      sentOver: ({ remotePort }) => sent.get(remotePort) ?? 0,
      onUnread: ({ remotePort }: ConnectionEnds) => unread.push(remotePort),
      busyShare: () => busyShare,
      isPressed: () => isPressed,
    });
  }

  function call(role: Role, id: string, remotePort = 1) {
    const over = new AbortController();
    return { answer: answers.open({ role, id }, { remotePort }, over.signal), over };
  }

  test("holds bytes by caller until their calls are over", () => {
    answers = account({ perClientBytesMax: 10 });
    const first = call("participant", "alice");
    const second = call("participant", "alice");
    first.answer.take(6);
    assert.equal(second.answer.tryTake(5), false);
    assert.throws(() => second.answer.take(5), { reason: "ANSWERS_UNREAD" });
    assert.equal(call("participant", "bob").answer.tryTake(10), true);
    first.over.abort();
    assert.equal(second.answer.tryTake(5), true);
    assert.equal(answers.bytes("clients"), 15);
  });

  test("counts all holders of invitations as one", () => {
    answers = account({ perClientBytesMax: 10 });
    call("invited", "alice").answer.take(6);
    assert.equal(call("invited", "bob").answer.tryTake(6), false);
  });

  test("keeps clients, managers and storage nodes apart", () => {
    answers = account({ perClientBytesMax: 10, clientsBytesMax: 10 });
    call("participant", "alice").answer.take(10);
    call("manager", "manager-2").answer.take(MiB);
    call("storage", "node-1").answer.take(MiB);
    assert.equal(answers.bytes("clients"), 10);
    assert.equal(answers.bytes("managers"), MiB);
    assert.equal(answers.bytes("storageNodes"), MiB);
  });

  test("cuts whoever holds several times as much as one that finds no room", () => {
    answers = account({ perStorageNodeBytesMax: 90, storageNodesBytesMax: 100 });
    const most = call("storage", "node-1", 1);
    most.answer.take(90);
    const other = call("storage", "node-2", 2);
    other.answer.take(10);
    assert.equal(other.answer.tryTake(10), false);
    assert.deepEqual(unread, [1]);
    most.over.abort();
    assert.equal(other.answer.tryTake(10), true);
  });

  test("cuts nobody for one that would hold about as much", () => {
    answers = account({ perStorageNodeBytesMax: 50, storageNodesBytesMax: 100 });
    for (let i = 0; i < 4; i++) call("storage", `node-${i}`, i).answer.take(25);
    assert.equal(call("storage", "node-9", 9).answer.tryTake(24), false);
    assert.deepEqual(unread, []);
  });

  test("cuts whoever took nothing for a while when another one finds no room", () => {
    answers = account({ perStorageNodeBytesMax: 50, storageNodesBytesMax: 100 }, 120);
    for (const port of [1, 2]) call("storage", `node-${port}`, port).answer.take(50);
    for (let sweeps = 0; sweeps < 10; sweeps++) {
      sent.set(2, sweeps);
      answers.sweep();
    }
    assert.equal(call("storage", "node-3", 3).answer.tryTake(50), false);
    assert.deepEqual(unread, [1]);
  });

  test("lets a thousand nodes that were away have their long answers in turn", async () => {
    let [made, refused] = [0, 0];
    const nodes = Array.from({ length: 1_000 }, async (_, i) => {
      const { answer, over } = call("storage", `node-${i}`, i);
      await answers.inTurn(answer, async () => {
        if (!answer.tryTake(6 * MiB + (i % 500) * 1_000)) refused += 1;
        made += 1;
        await new Promise((resolve) => setImmediate(resolve));
      });
      over.abort();
    });
    await Promise.all(nodes);
    assert.deepEqual([made, refused, unread.length], [1_000, 0, 0]);
    assert.equal(answers.bytes("storageNodes"), 0);
  });

  test("lets one caller have one long answer at a time, on however many streams", async () => {
    const blocked = new Promise<void>(() => {});
    let begun = 0;
    const ask = (id: string) =>
      void answers.inTurn(call("manager", id).answer, async () => {
        begun += 1;
        await blocked;
      });
    for (let i = 0; i < 40; i++) ask("manager-2");
    assert.equal(begun, 1);
    ask("manager-3");
    assert.equal(begun, 2);
  });

  test("cuts whoever takes nothing of a long answer while others wait for their turn", async () => {
    answers = account({ longAnswersAtOnceMax: 1 }, 120);
    const stuck = call("storage", "node-1", 1);
    const over = new Promise<void>((resolve) => {
      stuck.over.signal.addEventListener("abort", () => resolve());
    });
    const first = answers.inTurn(stuck.answer, async () => {
      stuck.answer.take(MiB);
      await over;
    });
    for (let sweeps = 0; sweeps < 50; sweeps++) answers.sweep();
    assert.deepEqual(unread, []);
    const second = answers.inTurn(call("storage", "node-2", 2).answer, async () => "sent");
    answers.sweep();
    assert.deepEqual(unread, [1]);
    stuck.over.abort();
    await first;
    assert.equal(await second, "sent");
  });

  test("leaves a connection alone that takes a long answer at the least rate", () => {
    answers = account({ bytesPerSecondMin: 10 });
    call("storage", "node-1", 1).answer.take(16 * MiB);
    const sweep = (bytes: number) => {
      sent.set(1, (sent.get(1) ?? 0) + bytes);
      answers.sweep();
    };
    for (let sweeps = 0; sweeps < 30; sweeps++) sweep(10);
    assert.deepEqual(unread, []);
    for (let sweeps = 0; sweeps < 4; sweeps++) sweep(9);
    assert.equal(unread[0], 1);
  });

  test("tells of answers of which nothing is taken", () => {
    const { answer } = call("participant", "alice", 7);
    answer.take(10);
    for (let sweeps = 0; sweeps < 2; sweeps++) answers.sweep();
    answer.giveBack(4);
    for (let sweeps = 0; sweeps < 2; sweeps++) answers.sweep();
    assert.deepEqual(unread, []);
    answers.sweep();
    assert.deepEqual(unread, [7]);
    answer.close();
    answers.sweep();
    assert.deepEqual(unread, [7]);
  });

  test("reads pages a few at a time, and only where one has room", async () => {
    answers = account({ pagesAtOnceMax: 1, perClientBytesMax: 6 * MiB });
    let reading = 0;
    let readingMax = 0;
    const read = async (): Promise<Buffer> => {
      reading += 1;
      readingMax = Math.max(readingMax, reading);
      await new Promise((resolve) => setImmediate(resolve));
      reading -= 1;
      return Buffer.alloc(2 * MiB);
    };
    const made = await Promise.allSettled(
      Array.from({ length: 4 }, () =>
        answers.make(call("auditor", "auditor-1").answer, listBlocks, read),
      ),
    );
    assert.equal(readingMax, 1);
    assert.deepEqual(
      made.map(({ status }) => status),
      ["fulfilled", "fulfilled", "rejected", "rejected"],
    );
    assert.equal(answers.bytes("clients"), 4 * MiB);
  });

  test("reads one page of a caller at a time, and those of several at once", async () => {
    answers = account({ pagesAtOnceMax: 4 });
    const reading = new Map<string, number>();
    let ofOneMax = 0;
    let ofAllMax = 0;
    const read = (id: string) => async (): Promise<Buffer> => {
      reading.set(id, (reading.get(id) ?? 0) + 1);
      ofOneMax = Math.max(ofOneMax, reading.get(id) ?? 0);
      ofAllMax = Math.max(
        ofAllMax,
        [...reading.values()].reduce((sum, n) => sum + n, 0),
      );
      await new Promise((resolve) => setImmediate(resolve));
      reading.set(id, (reading.get(id) ?? 0) - 1);
      return Buffer.alloc(16);
    };
    const ids = ["auditor-1", "auditor-2", "auditor-3"];
    const makes = ids.flatMap((id) =>
      Array.from({ length: 3 }, () =>
        answers.make(call("auditor", id).answer, listBlocks, read(id)),
      ),
    );
    await Promise.all(makes);
    assert.equal(ofOneMax, 1);
    assert.equal(ofAllMax, ids.length);
  });

  test("lets a caller's next long answer wait as long as this one was read", async () => {
    const { answer } = call("storage", "node-1");
    const readMs = 200;
    await answers.inTurn(answer, (read) => read(() => sleep(readMs)));
    const restedSinceMs = performance.now();
    const order: string[] = [];
    const own = answers.inTurn(answer, async () => order.push("own"));
    await answers.inTurn(call("storage", "node-2").answer, async () => order.push("other"));
    await own;
    const restedMs = performance.now() - restedSinceMs;
    assert.deepEqual(order, ["other", "own"]);
    assert.ok(restedMs > readMs - 50, `it rested ${restedMs} ms`);
  });

  test("lets nobody wait long for the next one after a reading that was held up", async (t) => {
    isPressed = true;
    const { answer } = call("storage", "node-1");
    let nowMs = performance.now();
    t.mock.method(performance, "now", () => nowMs);
    await answers.inTurn(answer, (read) =>
      read(async () => {
        nowMs += 60_000;
      }),
    );
    let isNext = false;
    const next = answers.inTurn(answer, async () => {
      isNext = true;
    });
    await Promise.race([next, sleep(10_000, undefined, { ref: false })]);
    assert.ok(isNext);
  });

  for (const [load, share, pressed, times] of [
    ["busy", 0.9, false, 3],
    ["pressed", 0, true, 3],
    ["idle", 0.5, false, 1],
  ] as const) {
    test(`lets a caller's next page wait ${times} times as long where it is ${load}`, async () => {
      answers = account({ pagesAtOnceMax: 4 });
      [busyShare, isPressed] = [share, pressed];
      const tookMs = 250;
      const { answer } = call("auditor", "auditor-1");
      await answers.make(answer, listBlocks, async () => {
        await sleep(tookMs);
        return Buffer.alloc(16);
      });
      const restedSinceMs = performance.now();
      await answers.make(answer, listBlocks, async () => Buffer.alloc(16));
      const restedMs = performance.now() - restedSinceMs;
      assert.ok(restedMs > times * tookMs - 100, `it rested ${restedMs} ms`);
    });
  }

  test("does not read for a caller that has gone meanwhile", async () => {
    const { answer, over } = call("auditor", "auditor-1");
    over.abort();
    const made = answers.make(answer, listBlocks, () => assert.fail("nothing is to be read"));
    await assert.rejects(made, { reason: "CANCELLED" });
  });
});
