import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Logger } from "pino";
import { lineCharsMax, openLog } from "../../../src/node/node-log.js";

type Line = Readonly<Record<string, unknown>> & { readonly msg: string; readonly leftOut?: number };

/** A node's log with a clock of its own, and what it wrote. */
function world() {
  const texts: string[] = [];
  const clock = { ms: 0 };
  const log = openLog(
    { role: "manager", id: "manager-1", level: "info" },
    { logTo: { write: (text) => void texts.push(text) }, monotonicMs: () => clock.ms },
  );
  const lines = () => texts.map((text) => JSON.parse(text) as Line);
  const of = (msg: string) => lines().filter((line) => line.msg === msg);
  return { log, clock, texts, lines, of };
}

const megabytesPerHour = 10;
const faulty = new Error("9007199254740992 is not a safe integer");
const long = "why ".repeat(100);

/** What peers, participants and strangers can make a node say, `i` counting up. */
const floods: Readonly<Record<string, (log: Logger, i: number) => void>> = {
  "a call that fails": (log) =>
    log.error({ err: faulty, method: "bss.v1.QueryService/ListRecords" }, "a call failed"),
  "halt notices by reconnecting": (log, i) => {
    const nodeId = `storage-${i % 7}`;
    log.error({ nodeId, height: i, why: long }, "a storage node has halted");
  },
  mismatches: (log, i) => {
    const nodeId = `storage-${i % 7}`;
    log.warn({ nodeId, height: i }, "a storage node attests a mismatch");
  },
  "two heads in turn": (log, i) => {
    const what = i % 2 === 0 ? "another block" : "another state";
    const text = "a manager holds something else than this one";
    log.warn({ managerId: "manager-2", height: i, what }, text);
  },
  "attempts to reach who is dead": (log) => {
    log.info({ peerId: "manager-3", connected: false }, "the link to a manager has changed");
    log.warn({ peer: "manager-3", detail: "ECONNREFUSED" }, "a peer did not give the blocks");
  },
  "strangers from everywhere": (log, i) => {
    const peerAddress = `10.${i % 250}.${i % 241}.${i % 239}:${1024 + (i % 60_000)}`;
    log.warn({ peerAddress, reason: "TLS" }, "refused a caller");
  },
};

/** Bytes that an hour of `perSecond` times `flood` makes. */
function hourOf(perSecond: number, flood: (log: Logger, i: number) => void): number {
  const { log, clock, texts } = world();
  for (let i = 0; i < 3_600 * perSecond; i++) {
    clock.ms = (i * 1_000) / perSecond;
    flood(log, i);
  }
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

describe("a node's log", () => {
  for (const [what, flood] of Object.entries(floods)) {
    test(`grows by less than ${megabytesPerHour} MB in an hour of ${what}`, () => {
      const bytes = hourOf(4, flood);
      assert.ok(bytes < megabytesPerHour * 1e6, `${bytes} bytes`);
    });
  }

  test("grows by no more in an hour of all of them, from a thousand peers at once", () => {
    const bytes = hourOf(4, (log, i) => {
      for (const flood of Object.values(floods)) flood(log, i);
      log.error({ nodeId: `storage-${i % 1_000}`, why: long }, "a storage node has halted");
      log.warn({ managerId: `manager-${i % 100}`, what: long }, "a manager holds something else");
      log.info({ height: i, text: long }, "the node's own");
    });
    assert.ok(bytes < megabytesPerHour * 1e6, `${bytes} bytes`);
  });

  test("tells the first lines at once, then a few a minute with a count of the rest", () => {
    const { log, clock, of } = world();
    for (let i = 0; i < 100; i++) log.warn({ nodeId: "storage-1", i }, "it differs");
    assert.deepEqual(
      of("it differs").map(({ i }) => i),
      [0, 1, 2, 3, 4],
    );
    clock.ms = 30_000;
    log.warn({ nodeId: "storage-1", i: 100 }, "it differs");
    assert.deepEqual(of("it differs").at(-1)?.leftOut, 95);
    assert.equal(of("it differs").at(-1)?.i, 100);
  });

  test("keeps peers and events apart: none is silenced by another", () => {
    const { log, of } = world();
    for (let i = 0; i < 100; i++) log.warn({ nodeId: "storage-1" }, "it differs");
    log.warn({ nodeId: "storage-2" }, "it differs");
    log.warn({ nodeId: "storage-1" }, "it left");
    log.info("the manager votes");
    assert.equal(of("it differs").filter(({ nodeId }) => nodeId === "storage-2").length, 1);
    assert.equal(of("it left").length, 1);
    assert.equal(of("the manager votes").length, 1);
  });

  test("takes the ports of one address for one caller", () => {
    const { log, of } = world();
    for (let i = 0; i < 100; i++) log.warn({ peerAddress: `10.0.0.1:${i}` }, "refused a caller");
    assert.equal(of("refused a caller").length, 5);
  });

  test("tells once a minute what was left out, by whatever is logged next", () => {
    const { log, clock, of } = world();
    for (let i = 0; i < 100; i++) log.warn({ nodeId: "storage-1" }, "it differs");
    for (let i = 0; i < 10; i++) log.warn({ nodeId: "storage-2" }, "it differs");
    log.info("the manager votes");
    assert.deepEqual(of("lines of this log were left out"), []);
    clock.ms = 61_000;
    log.info("the manager votes");
    const [summary] = of("lines of this log were left out");
    assert.equal(summary?.leftOut, 100);
    assert.deepEqual(summary?.most, [
      "95 of: it differs (storage-1)",
      "5 of: it differs (storage-2)",
    ]);
    clock.ms = 122_000;
    log.info("the manager votes");
    assert.equal(of("lines of this log were left out").length, 1, "nothing was left out since");
  });

  test("tells the first error of each kind in a flood that has used everything up", () => {
    const { log, of } = world();
    for (let i = 0; i < 50_000; i++) {
      log.warn({ nodeId: `storage-${i}`, why: long }, "a mismatch");
      log.info({ why: long, i }, `own ${i % 500}`);
    }
    log.warn({ nodeId: "pc-9" }, "a warning");
    assert.equal(of("a warning").length, 0, "the budget is used up");
    for (let i = 0; i < 3; i++) log.error({ nodeId: "pc-9" }, "a storage node has halted");
    log.error("the store was damaged");
    log.fatal("the manager cannot go on");
    assert.equal(of("a storage node has halted").length, 1);
    assert.equal(of("the store was damaged").length, 1);
    assert.equal(of("the manager cannot go on").length, 1);
  });

  test("holds no line that is longer than may be, whatever was put into it", () => {
    const { log, texts, lines } = world();
    const huge = "x".repeat(1_000_000);
    log.warn({ nodeId: "storage-1", why: huge, list: new Array(5_000).fill("item") }, "one");
    log.warn({ list: new Array(20).fill(huge), deep: { list: [[huge]] } }, "two");
    log.warn({ nodeId: "storage-1" }, huge);
    for (const text of texts) assert.ok(text.length <= lineCharsMax && text.endsWith("}\n"));
    const [one, two] = lines();
    assert.match(String(one?.why), /^x{1000}… \(1000000 characters\)$/);
    assert.deepEqual([two?.msg, two?.isCut, two?.id], ["two", true, "manager-1"]);
  });

  test("turns stacks of errors, and writes what is thrown that is no error", () => {
    const texts: string[] = [];
    const log = openLog(
      { role: "manager", id: "manager-1", level: "info" },
      {
        logTo: { write: (text) => void texts.push(text) },
        stackOf: (stack) => `turned ${stack.split("\n")[0]}`,
      },
    );
    log.error({ err: new RangeError("too far") }, "an error");
    log.error({ err: "a text" }, "no error");
    log.error({ err: undefined }, "nothing");
    const [first, second] = texts.map((text) => JSON.parse(text));
    assert.equal(first.err.stack, "turned RangeError: too far");
    assert.equal(first.err.message, "too far");
    assert.equal(second.err, "a text");
    assert.equal(texts.length, 3);
  });

  test("escapes what moves a terminal's cursor, and says the same", () => {
    const { log, texts, lines } = world();
    const why = 'a\u001B[2Jb\u009B31mc\u202Ed\u200Be\u2028f\n{"level":60}\u007F\u{1F600}';
    log.warn({ nodeId: "storage-1", why }, "it differs");
    assert.equal(texts.length, 1);
    assert.match(texts[0] ?? "", /^[^\p{C}\u2028\u2029]+\n$/u);
    assert.equal(lines()[0]?.why, why);
  });
});
