import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { turnsOf, warm, warmMsOf } from "../../../bench/loads/warming.js";
import type { Entry, Loop } from "../../../src/cli/bench/loop.js";

const loads = ["a", "b", "c", "d", "e"];

describe("the option --warm-seconds", () => {
  test("is a number of seconds", () => {
    assert.equal(warmMsOf("60"), 60_000);
    assert.equal(warmMsOf("0.5"), 500);
    assert.equal(warmMsOf("0"), 0);
  });

  for (const text of ["", " ", "-1", "1,2", "a minute", "NaN", "Infinity"]) {
    test(`is not "${text}"`, () => {
      assert.throws(() => warmMsOf(text), /--warm-seconds takes a number from 0 on/);
    });
  }
});

describe("the turns of warming", () => {
  test("come in rounds of all loads, some seconds each", () => {
    const turns = turnsOf(loads, 60_000);
    assert.deepEqual(
      turns.map(({ load }) => load),
      [...loads, ...loads, ...loads],
    );
    assert.ok(turns.every(({ ms }) => ms === 4_000));
  });

  test("take the whole time, and each load has one, however short it is", () => {
    for (const totalMs of [1, 4_000, 27_000, 600_000]) {
      const turns = turnsOf(loads, totalMs);
      const sum = turns.reduce((total, { ms }) => total + ms, 0);
      assert.ok(Math.abs(sum - totalMs) < 1e-6, `${sum} of ${totalMs} ms`);
      assert.deepEqual(new Set(turns.map(({ load }) => load)), new Set(loads));
    }
  });

  test("are none without time for them", () => assert.deepEqual(turnsOf(loads, 0), []));
});

describe("warming", () => {
  const refused: Entry = {
    dueMs: 0,
    answeredMs: 1,
    committed: 0,
    refused: { POOL_FULL: 3 },
    heights: [],
  };

  /** What is started, stopped and said while this loop is that of each load. */
  async function eventsWith(loop: Partial<Loop>, { mock }: TestContext): Promise<string[]> {
    const events: string[] = [];
    mock.method(console, "log", (text: string) => events.push(text));
    const start = (load: string): Loop => {
      events.push(`start ${load}`);
      const stop = async () => {
        events.push(`stop ${load}`);
        return 0;
      };
      const still = { warm: Promise.resolve(), entries: [], reconnects: 0, failure: undefined };
      return Object.assign({}, still, loop, { stop });
    };
    await warm(["a", "b"], { totalMs: 2, start, nameOf: (load) => `load ${load}` });
    return events;
  }

  test("has one load after the other, and says so", async (t) => {
    assert.deepEqual(await eventsWith({}, t), [
      "warming, 0 of 0.002 s: load a, load b",
      "start a",
      "stop a",
      "start b",
      "stop b",
    ]);
  });

  test("shows what was refused", async (t) => {
    const events = await eventsWith({ entries: [refused, refused] }, t);
    assert.ok(events.includes("! warming with load a: 6 POOL_FULL"));
  });

  test("fails with a load that ended by itself", async (t) => {
    const message = "warming with load a ended by itself: no connection";
    await assert.rejects(eventsWith({ failure: "no connection" }, t), { message });
  });
});
