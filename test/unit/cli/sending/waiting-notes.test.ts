import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  WaitingNotes,
  type WaitingNotesOptions,
} from "../../../../src/cli/sending/waiting-notes.js";

type Status = Awaited<ReturnType<WaitingNotesOptions["ask"]>>;

const idle: Status = { nodeId: "manager-2", poolSubmissions: 0, abstaining: "" };

/** Notes with a clock that the test moves. */
function notesOf(status: () => Status | undefined, inFlight = 1) {
  const printed: string[] = [];
  let nowMs = 0;
  let due: { readonly atMs: number; readonly work: () => void } | undefined;
  const notes = new WaitingNotes({
    ask: async () => {
      const answer = status();
      if (answer === undefined) throw new Error("unreachable");
      return answer;
    },
    print: (text) => printed.push(text.replace(/for [^;]+;/, "for …;")),
    inFlight: () => inFlight,
    after: (ms, work) => {
      due = { atMs: nowMs + ms, work };
      return () => {
        due = undefined;
      };
    },
  });
  const pass = async (ms: number) => {
    nowMs += ms;
    if (due === undefined || due.atMs > nowMs) return;
    due.work();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { notes, printed, pass };
}

describe("what a command says while no outcome comes", () => {
  test("is whose signatures are missing", async () => {
    const text = "ACCEPT of manager-3 for block 7f2a";
    const { notes, printed, pass } = notesOf(() => ({ ...idle, waiting: { text } }));
    await pass(2_999);
    assert.deepEqual(printed, []);
    await pass(1);
    assert.deepEqual(printed, [`bss: no outcome for …; manager-2 waits for ${text}`]);
    notes.stop();
  });

  test("is how many wait for them, too", async () => {
    const text = "attestation of storage-2";
    const { notes, printed, pass } = notesOf(() => {
      return { ...idle, poolSubmissions: 1, waiting: { text } };
    });
    await pass(3_000);
    const [note] = printed;
    assert.match(
      note ?? "",
      /; manager-2 waits for attestation of storage-2; 1 submission waits th/,
    );
    notes.stop();
  });

  test("is how many are ahead, or why the manager signs nothing", async () => {
    let status: Status = { ...idle, poolSubmissions: 12 };
    const { notes, printed, pass } = notesOf(() => status);
    await pass(3_000);
    status = { ...idle, abstaining: "it waits for 3 s" };
    await pass(4_000);
    assert.deepEqual(printed, [
      "bss: no outcome for …; 12 submissions wait on manager-2 for a block",
      "bss: no outcome for …; manager-2 signs nothing: it waits for 3 s",
    ]);
    notes.stop();
  });

  test("comes more seldom the longer it lasts, and anew after an outcome", async () => {
    const { notes, printed, pass } = notesOf(() => ({ ...idle, poolSubmissions: 1 }));
    for (let second = 0; second < 62; second++) await pass(1_000);
    // After 3, 7, 17, 32 and 62 s.
    assert.equal(printed.length, 5);
    notes.clear();
    await pass(3_000);
    assert.equal(printed.length, 6);
    notes.stop();
    await pass(60_000);
    assert.equal(printed.length, 6);
  });

  for (const [when, status, inFlight] of [
    ["nothing is in flight", { ...idle, poolSubmissions: 1 }, 0],
    ["the manager has nothing to do", idle, 1],
    ["no manager answers", undefined, 1],
  ] as const) {
    test(`is nothing when ${when}`, async () => {
      const { notes, printed, pass } = notesOf(() => status, inFlight);
      for (let second = 0; second < 10; second++) await pass(1_000);
      assert.deepEqual(printed, []);
      notes.stop();
    });
  }
});
