import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  BlockRate,
  blocksWorthNews,
  newsIntervalMs,
  type Progress,
  SyncReport,
} from "../../../src/sync/sync-progress.js";

describe("blocks per second", () => {
  test("are those of the last seconds", () => {
    const rate = new BlockRate();
    assert.equal(rate.perSecond(0), 0);
    for (let ms = 0; ms < 20_000; ms += 100) rate.note(ms);
    assert.equal(rate.perSecond(19_900), 10);
    assert.equal(rate.perSecond(24_900), 5);
    assert.equal(rate.perSecond(60_000), 0);
  });

  test("are not diluted by time before the first block", () => {
    const rate = new BlockRate();
    for (let ms = 60_000; ms < 62_000; ms += 100) rate.note(ms);
    assert.equal(rate.perSecond(62_000), 10);
  });
});

describe("the news of a node that catches up", () => {
  const towards = (targetHeight: number): Progress => ({
    targetHeight,
    blocksPerSecond: 1,
    secondsLeft: 1,
    peer: "a",
  });

  test("are its start, every ten seconds, and its end", () => {
    const report = new SyncReport();
    assert.equal(report.look(0, 5, towards(100))?.kind, "started");
    assert.equal(report.look(newsIntervalMs - 1, 20, towards(100)), undefined);
    assert.equal(report.look(newsIntervalMs, 30, towards(100))?.kind, "going");
    assert.equal(report.look(newsIntervalMs + 1, 40, towards(100)), undefined);
    assert.deepEqual(report.look(20_000, 105, undefined), {
      kind: "ended",
      height: 105,
      blocks: 100,
      seconds: 20,
    });
    assert.equal(report.look(30_000, 105, undefined), undefined);
  });

  test("end also while one block is on its way, as that is normal", () => {
    const report = new SyncReport();
    report.look(0, 5, towards(100));
    assert.equal(report.look(1_000, 99, towards(100))?.kind, "ended");
  });

  test("are none for a few blocks", () => {
    const report = new SyncReport();
    assert.equal(report.look(0, 5, towards(5 + blocksWorthNews - 1)), undefined);
    assert.equal(report.look(1_000, 14, undefined), undefined);
  });
});
