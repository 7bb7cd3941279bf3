import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { defaultAnswerLimits } from "../../../src/rpc/answer-limits.js";
import type { ConnectionEnds } from "../../../src/rpc/connections.js";
import { HeldAnswers } from "../../../src/rpc/held-answers.js";
import type { Role } from "../../../src/rpc/identity.js";

const MiB = 2 ** 20;
const listBlocks = "bss.v1.QueryService/ListBlocks";

describe("the account of answers", () => {
  let unread: (number | undefined)[] = [];
  let answers = account();

  beforeEach(() => {
    unread = [];
    answers = account();
  });

  function account(limits: Partial<typeof defaultAnswerLimits> = {}): HeldAnswers {
    return new HeldAnswers({
      limits: { ...defaultAnswerLimits, ...limits },
      unreadSweeps: 3,
      onUnread: ({ remotePort }: ConnectionEnds) => unread.push(remotePort),
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

  test("cuts whoever holds most when another one finds no room", () => {
    answers = account({ perStorageNodeBytesMax: 8, storageNodesBytesMax: 10 });
    const most = call("storage", "node-1", 1);
    most.answer.take(8);
    const other = call("storage", "node-2", 2);
    other.answer.take(2);
    assert.equal(other.answer.tryTake(1), false);
    assert.deepEqual(unread, [1]);
    most.over.abort();
    assert.equal(other.answer.tryTake(1), true);
    // Nobody is cut for one that would hold as much.
    assert.equal(call("storage", "node-3", 3).answer.tryTake(8), false);
    assert.deepEqual(unread, [1]);
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

  test("does not read for a caller that has gone meanwhile", async () => {
    const { answer, over } = call("auditor", "auditor-1");
    over.abort();
    const made = answers.make(answer, listBlocks, () => assert.fail("nothing is to be read"));
    await assert.rejects(made, { reason: "CANCELLED" });
  });
});
