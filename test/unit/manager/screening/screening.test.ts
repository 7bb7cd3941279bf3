import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { systemTime } from "../../../../src/base/time.js";
import { SignatureCache } from "../../../../src/crypto/signature-cache.js";
import type { ParsedRecord } from "../../../../src/ledger/records/records.js";
import {
  pausesOf,
  Screener,
  type SharedRest,
  screenSubmission,
  screenTogether,
  violationsNow,
} from "../../../../src/manager/screening/screening.js";
import { refusalLimits } from "../../../../src/manager/screening/screening-budget.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { genesisMs, quarterS, startS } from "../../ledger/support/consortium.js";
import { accepted, refusal } from "../../ledger/support/outcome.js";
import {
  documentBytes,
  hashOf,
  readingBytes,
  submitted,
  tradeBytes,
} from "../../ledger/support/records.js";
import { LedgerWorld } from "../support/ledger-world.js";

const reading = readingBytes({ exported: 100, imported: 0 });
const bought = readingBytes({ owner: "participant-2", meter: "meter-2", exported: 0 });
const sold = tradeBytes({ id: "sold", energy: 50 });
const updated = readingBytes({ exported: 110, imported: 0, parent: hashOf(reading) });

describe("a manager's own verdict on a submission", () => {
  let world: LedgerWorld;

  beforeEach(async () => {
    world = await LedgerWorld.create();
    await world.extend({
      candidates: [submitted([reading]), submitted([bought], "participant-2"), submitted([sold])],
    });
    await world.extend({ candidates: [submitted([updated])] });
  });

  const later = startS + quarterS;
  const screen = async (records: readonly Uint8Array[], owner?: string) =>
    accepted(await screenSubmission(submitted(records, owner), world.ports));

  const contradicted: readonly (readonly [string, Uint8Array])[] = [
    ["TRADE_REPEATED", tradeBytes({ id: "sold" })],
    ["INTERVAL_OVERLAP", readingBytes()],
    ["PARENT_NOT_LATEST", readingBytes({ exported: 120, parent: hashOf(reading) })],
  ];
  for (const [reason, record] of contradicted) {
    test(`[R3.2] refuses at once what the ledger contradicts for good: ${reason}`, async () => {
      const { refused, accurate, open } = await screen([record]);
      assert.deepEqual(
        refused.map(({ violation }) => violation.reason),
        [reason],
      );
      assert.deepEqual([accurate, open], [[], []]);
    });
  }

  const lacking: readonly (readonly [string, Uint8Array])[] = [
    ["DOUBLE_SPEND", tradeBytes({ energy: 90 })],
    ["DOUBLE_SPEND", tradeBytes({ delivery: startS + 3_600 })],
    ["PARENT_UNKNOWN", readingBytes({ parent: hashOf(documentBytes()) })],
    ["EXPORT_BELOW_SOLD", readingBytes({ exported: 10, parent: hashOf(updated) })],
  ];
  for (const [reason, record] of lacking) {
    test(`[R3.2] leaves open what another record may cure: ${reason}`, async () => {
      const { open, refused, accurate } = await screen([record]);
      assert.deepEqual(
        open.map(({ bytes }) => bytes),
        [record],
      );
      assert.deepEqual([refused, accurate], [[], []]);
      const submission = submitted([record]);
      const { broken } = await violationsNow(submission, submission.records, world.ports);
      assert.deepEqual(
        [...broken.values()].map((violation) => violation.reason),
        [reason],
      );
    });

    test(`[R3.2] leaves it to the block when something pending may cure it: ${reason}`, async () => {
      const asked: string[] = [];
      const mightCure = (_: ParsedRecord, why: string) => asked.push(why) > 0;
      const ports = { ...world.ports, mightCure };
      const screened = accepted(await screenSubmission(submitted([record]), ports));
      assert.deepEqual([screened.accurate.length, screened.open.length], [1, 0]);
      assert.deepEqual(asked, [reason]);
    });
  }

  test("[R3.2] leaves to the block what only stands against others of the submission", async () => {
    const twice = [readingBytes({ start: later, exported: 1 }), readingBytes({ start: later })];
    const branches = [140, 150].map((exported) =>
      readingBytes({ exported, imported: 0, parent: hashOf(updated) }),
    );
    const sales = [tradeBytes({ id: "a", energy: 40 }), tradeBytes({ id: "b", energy: 40 })];
    for (const records of [twice, branches, sales]) {
      const { accurate, refused, open } = await screen(records);
      assert.deepEqual([accurate.length, refused.length, open.length], [2, 0, 0]);
    }
  });

  test("[R3.4] leaves to the block what a later record of the submission may cure", async () => {
    const at = startS + 3_600;
    const trade = tradeBytes({ id: "early", energy: 40, delivery: at });
    const measured = readingBytes({ start: at, exported: 50, imported: 0 });
    const child = readingBytes({ start: at, exported: 60, parent: hashOf(measured) });
    const screened = await screen([child, trade, measured]);
    assert.deepEqual([screened.accurate.length, screened.open.length], [3, 0]);
    const other = tradeBytes({ id: "late", energy: 40, delivery: at + 3_600 });
    const alone = await screen([child, other]);
    assert.deepEqual([alone.accurate.length, alone.open.length], [0, 2]);
  });

  test("[R3.4] keeps a version of what waits for energy together with it", async () => {
    const at = startS + 3_600;
    const trade = tradeBytes({ id: "early", energy: 40, delivery: at });
    const version = tradeBytes({ id: "less", energy: 30, delivery: at, parent: hashOf(trade) });
    const measured = readingBytes({ start: at, exported: 50, imported: 0 });
    const cured = await screen([trade, version, measured]);
    assert.deepEqual([cured.accurate.length, cured.open.length], [3, 0]);
  });

  test("reads the state once, however many records there are", async () => {
    let reads = 0;
    const readState = (keys: readonly Uint8Array[]) => {
      reads += 1;
      return world.ports.readState(keys);
    };
    const records = Array.from({ length: 50 }, () => readingBytes());
    const ports = { ...world.ports, readState };
    const screened = accepted(await screenSubmission(submitted(records), ports));
    assert.deepEqual([screened.refused.length, reads], [50, 1]);
  });

  test("is the same for each of several that are screened together", async () => {
    const forged = { ...submitted([documentBytes()]), signature: new Uint8Array(64).fill(1) };
    const two = [readingBytes({ start: later }), readingBytes({ start: later, exported: 1 })];
    const submissions = [
      submitted([reading, documentBytes()]),
      forged,
      submitted([readingBytes()]),
      // What stands in one submission is not there for the next.
      ...two.map((record) => submitted([record])),
      submitted([tradeBytes({ energy: 90 }), sold]),
    ];
    let reads = 0;
    const readState = (keys: readonly Uint8Array[]) => {
      reads += 1;
      return world.ports.readState(keys);
    };
    const together = await screenTogether(submissions, { ...world.ports, readState });
    assert.equal(reads, 1);
    for (const [i, submission] of submissions.entries()) {
      assert.deepEqual(together[i], await screenSubmission(submission, world.ports));
    }
  });

  test("lets others have their turn between pieces of a large submission", async () => {
    let pauses = 0;
    const counted = () => async () => {
      pauses += 1;
    };
    const records = Array.from({ length: 50 }, () => tradeBytes({ id: "sold" }));
    await screenSubmission(submitted(records), { ...world.ports, pauses: counted });
    assert.ok(pauses >= 2, `${pauses} pauses in 100 signatures`);
  });

  test("verifies no signature inside a record that the ledger has", async () => {
    const asked: number[] = [];
    const signatures = new SignatureCache();
    const { invalidOf } = signatures;
    signatures.invalidOf = async (signed) => {
      asked.push(signed.length);
      return invalidOf.call(signatures, signed) as never;
    };
    await screenSubmission(submitted([sold]), { ...world.ports, signatures });
    assert.deepEqual(asked, [1], "the submitter's alone");
  });

  const hopeless: readonly (readonly [string, Uint8Array])[] = [
    ["METER_UNKNOWN", readingBytes({ meter: "meter-9" })],
    ["METER_OWNER_MISMATCH", readingBytes({ meter: "meter-2", start: later })],
    ["ENERGY_ABOVE_RATING", readingBytes({ start: later, exported: 251 })],
    ["PRICE_OUT_OF_BOUNDS", tradeBytes({ price: 500_001 })],
    ["TRADE_SIGNATURE_INVALID", tradeBytes({ buyerKey: "participant-3" })],
    ["TRADE_PARTY_UNKNOWN", tradeBytes({ buyer: "nobody" })],
    ["TIME_IN_FUTURE", documentBytes({}, { timeUnixMs: BigInt(genesisMs + 60_000) })],
  ];
  for (const [reason, record] of hopeless) {
    test(`refuses at once what nothing cures: ${reason}`, async () => {
      const right = documentBytes();
      const submission = submitted([record, right]);
      const screened = accepted(await screenSubmission(submission, world.ports));
      assert.deepEqual(
        screened.refused.map(({ violation }) => violation.reason),
        [reason],
      );
      assert.deepEqual(
        screened.accurate.map(({ bytes }) => bytes),
        [right],
      );
    });
  }

  test("knows what is on the ledger, and counts it neither right nor wrong", async () => {
    const screened = accepted(await screenSubmission(submitted([reading, sold]), world.ports));
    const { onLedger, accurate, refused } = screened;
    assert.deepEqual([onLedger.length, accurate.length, refused.length], [2, 0, 0]);
  });

  test("finds a record right that stands on another of the same submission", async () => {
    const first = readingBytes({ start: later, exported: 50 });
    const second = readingBytes({ start: later, exported: 60, parent: hashOf(first) });
    const screened = accepted(await screenSubmission(submitted([first, second]), world.ports));
    assert.equal(screened.accurate.length, 2);
  });

  test("is the refusal of the whole when its signature is not its submitter's", async () => {
    const { message, ...submission } = submitted([documentBytes()]);
    const forged = { ...submission, message, signature: new Uint8Array(64).fill(1) };
    assert.equal(refusal(await screenSubmission(forged, world.ports)).reason, "SIGNATURE_INVALID");
    const stranger = submitted([documentBytes({}, { ownerId: "nobody" })], "nobody");
    const refused = refusal(await screenSubmission(stranger, world.ports));
    assert.equal(refused.reason, "PARTICIPANT_UNKNOWN");
  });

  test("holds a record's time against the ledger's when this clock is behind", async () => {
    world.wallMs = 0;
    const screened = accepted(await screenSubmission(submitted([documentBytes()]), world.ports));
    assert.equal(screened.accurate.length, 1);
  });
});

describe("[R3.9] many small submissions", () => {
  const setUp = async () => {
    const world = await LedgerWorld.create();
    const reads: number[] = [];
    let fails = false;
    const readState = async (keys: readonly Uint8Array[]) => {
      reads.push(keys.length);
      if (fails) throw new Error("the disk");
      return world.ports.readState(keys);
    };
    const context = { ...world.ports, readState, time: systemTime };
    const screener = new Screener(context, { knowsAllFinal: false });
    const screen = (id: string, records: readonly Uint8Array[]) =>
      screener.screen({ kind: "caller", id }, submitted(records));
    const fail = (value: boolean) => {
      fails = value;
    };
    return { screen, reads, fail };
  };

  test("are screened together while others are, a hundred records at a time", async () => {
    const { screen, reads } = await setUp();
    const first = screen("a", [documentBytes()]);
    const few = Array.from({ length: 7 }, () => screen("a", [documentBytes()]));
    const many = Array.from({ length: 3 }, () =>
      screen(
        "b",
        Array.from({ length: 40 }, () => documentBytes()),
      ),
    );
    for (const verdict of await Promise.all([first, ...few, ...many])) {
      assert.ok(verdict.ok && verdict.value.refused.length === 0);
    }
    const accurate = (await first).ok && (await few[6])?.ok;
    assert.ok(accurate);
    assert.ok(reads.length <= 4, `${reads.length} readings for 11 submissions`);
    assert.ok(reads.length >= 2, "no more than a hundred records together");
  });

  test("go on after some that could not be read", async () => {
    const { screen, fail } = await setUp();
    fail(true);
    await assert.rejects(screen("a", [documentBytes()]), /the disk/);
    fail(false);
    assert.ok((await screen("a", [documentBytes()])).ok);
  });
});

describe("[R3.9] long work on submissions", () => {
  test("rests three times as long while small ones of anybody else come", async () => {
    const { ports } = await LedgerWorld.create();
    let nowMs = 0;
    let ahead = "";
    let times: (number | undefined)[] = [];
    const pauses = (restTimes?: () => number) => async () => void times.push(restTimes?.());
    const isAhead = (id: string) => id === ahead;
    const context = { ...ports, pauses, monotonicMs: () => nowMs, time: systemTime, isAhead };
    const screener = new Screener(context, { knowsAllFinal: false });
    const restsOf = async (records: number, id = `of ${records}`) => {
      times = [];
      const bytes = Array.from({ length: records }, () => documentBytes());
      await screener.screen({ kind: "caller", id }, submitted(bytes));
      return [...new Set(times)];
    };
    assert.deepEqual(await restsOf(50), [1]);
    assert.deepEqual(await restsOf(1), [], "small ones are a single piece");
    assert.deepEqual(await restsOf(50), [3]);
    assert.deepEqual(await restsOf(50, "of 1"), [1], "its own small one has nobody wait");
    await restsOf(1, "of 50");
    assert.deepEqual(await restsOf(50), [3], "the other's came no longer ago");
    ahead = "another";
    assert.deepEqual(await restsOf(50), [3]);
    ahead = "of 50";
    assert.deepEqual(await restsOf(50), [9], "it could fill the next block by itself");
    nowMs = 5_000;
    assert.deepEqual(await restsOf(50), [1]);
  });

  test("pauses between the pieces of parsing, which ends when nobody waits for it", async () => {
    const { ports } = await LedgerWorld.create();
    let paused = 0;
    const gone = new AbortController();
    const pauses = () => async () => {
      paused += 1;
      if (paused === 5) gone.abort();
    };
    const context = { ...ports, pauses, monotonicMs: () => 0, time: systemTime };
    const screener = new Screener(context, { knowsAllFinal: false });
    const caller = { kind: "caller", id: "a" } as const;
    function* parse() {
      for (let i = 0; i < 3; i++) yield undefined;
      return "parsed";
    }
    assert.equal(await screener.parsed(caller, 10, parse), "parsed");
    assert.equal(paused, 3);
    const vain = screener.parsed(caller, 10, parse, { signal: gone.signal });
    await assert.rejects(vain, { reason: "DEADLINE" });
    assert.equal(paused, 5);
  });

  test("begins with what the caller has to be told when its turn comes, which costs nothing", async () => {
    const { ports } = await LedgerWorld.create();
    const pauses = () => async () => {};
    const context = { ...ports, pauses, monotonicMs: () => 0, time: systemTime };
    const screener = new Screener({ ...context, isAhead: () => false }, { knowsAllFinal: false });
    const caller = { kind: "caller", id: "participant-1" } as const;
    const onTurn = async () => {
      throw new RpcError("POOL_SHARE_FULL", "late");
    };
    // biome-ignore lint/correctness/useYield: it has one piece.
    function* parse(): Generator<undefined, string> {
      return "parsed";
    }
    const submission = submitted([documentBytes()]);
    for (let i = 0; i < 2; i++) {
      const late = screener.parsed(caller, refusalLimits.burst, parse, { onTurn });
      await assert.rejects(late, { reason: "POOL_SHARE_FULL" });
      await assert.rejects(screener.screen(caller, submission, { onTurn }), {
        reason: "POOL_SHARE_FULL",
      });
    }
    assert.equal(await screener.parsed(caller, refusalLimits.burst, parse), "parsed");
  });

  const setUp = (isVoting: () => boolean, restTimes?: () => number, shared?: SharedRest) => {
    const clock = { nowMs: 1_000, breaths: 0, waits: [] as number[] };
    const time = {
      monotonicMs: () => clock.nowMs,
      after: (delayMs: number, work: () => void) => {
        clock.waits.push(delayMs);
        clock.nowMs += delayMs;
        work();
        return { cancel: () => {} };
      },
      breathe: async () => {
        clock.breaths += 1;
      },
    };
    return { clock, pause: pausesOf(time, isVoting, shared, restTimes) };
  };

  test("pauses for as long as it has worked while votes are under way", async () => {
    const { clock, pause } = setUp(() => true);
    for (const workedMs of [6, 0, 30]) {
      clock.nowMs += workedMs;
      await pause();
    }
    assert.deepEqual([clock.waits, clock.breaths], [[6, 0, 30], 0]);
  });

  test("pauses several times as long where it is told to, as of that moment", async () => {
    let times = 3;
    const { clock, pause } = setUp(
      () => true,
      () => times,
    );
    for (const workedMs of [6, 10]) {
      clock.nowMs += workedMs;
      await pause();
      times = 1;
    }
    assert.deepEqual(clock.waits, [18, 10]);
  });

  test("rests one after the other where it makes way for others", async () => {
    const shared = { untilMs: 0 };
    const one = setUp(
      () => true,
      () => 3,
      shared,
    );
    const other = setUp(
      () => true,
      () => 3,
      shared,
    );
    for (const { clock } of [one, other]) clock.nowMs += 10;
    await Promise.all([one.pause(), other.pause()]);
    assert.deepEqual([one.clock.waits, other.clock.waits], [[30], [60]]);
  });

  test("does not take what held it up for work", async () => {
    const { clock, pause } = setUp(() => true);
    clock.nowMs += 60_000;
    await pause();
    assert.deepEqual(clock.waits, [50]);
  });

  test("only lets others have their turn while the ring is idle", async () => {
    const { clock, pause } = setUp(() => false);
    clock.nowMs += 6;
    await pause();
    assert.deepEqual([clock.waits, clock.breaths], [[], 1]);
  });
});
