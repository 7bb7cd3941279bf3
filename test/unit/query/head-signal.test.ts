import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadSignal } from "../../../src/query/head-signal.js";

describe("the head signal", () => {
  test("wakes everybody who waits, once", async () => {
    const heads = new HeadSignal();
    const { signal } = new AbortController();
    const woken = Promise.all([heads.next(signal), heads.next(signal)]);
    assert.equal(heads.waiting, 2);
    heads.announce();
    await woken;
    assert.equal(heads.waiting, 0);
  });

  test("lets go of a waiter whose call is over", async () => {
    const heads = new HeadSignal();
    const controller = new AbortController();
    const waiting = heads.next(controller.signal);
    controller.abort();
    await waiting;
    assert.equal(heads.waiting, 0);
    await heads.next(controller.signal);
    assert.equal(heads.waiting, 0);
  });
});
