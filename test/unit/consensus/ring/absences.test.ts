import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Absences } from "../../../../src/consensus/ring/absences.js";

describe("absences", () => {
  test("are agreed on after half the time, and claimed after all of it", () => {
    const absences = new Absences(1_000);
    absences.missed("b", 100);
    absences.missed("a", 200);
    const seen = [100, 599, 600, 700, 1_099, 1_100, 1_200].map((nowMs) => [
      absences.opinion(["a"], nowMs),
      absences.opinion(["b"], nowMs),
      absences.opinion(["a", "b"], nowMs),
      absences.claimed(nowMs).join(),
    ]);
    assert.deepEqual(seen, [
      ["later", "later", "later", ""],
      ["later", "later", "later", ""],
      ["later", "agrees", "later", ""],
      ["agrees", "agrees", "agrees", ""],
      ["agrees", "agrees", "agrees", ""],
      ["agrees", "agrees", "agrees", "b"],
      ["agrees", "agrees", "agrees", "a,b"],
    ]);
  });

  test("begin once, and again after the manager has come", () => {
    const absences = new Absences(1_000);
    absences.missed("a", 0);
    absences.missed("a", 900);
    assert.deepEqual(absences.claimed(1_000), ["a"]);
    absences.came("a");
    assert.deepEqual(absences.claimed(1_000), []);
    assert.equal(absences.opinion(["a"], 1_000), "disagrees");
    absences.missed("a", 1_500);
    assert.equal(absences.opinion(["a"], 2_000), "agrees");
    assert.deepEqual(absences.claimed(2_499), []);
  });

  test("say when an opinion changes next, and only then", () => {
    const absences = new Absences(1_000);
    assert.equal(absences.nextMs(0), Number.POSITIVE_INFINITY);
    absences.missed("a", 100);
    absences.missed("b", 300);
    const next = [100, 600, 800, 1_100, 1_300].map((nowMs) => absences.nextMs(nowMs));
    assert.deepEqual(next, [600, 800, 1_100, 1_300, Number.POSITIVE_INFINITY]);
  });

  test("do not exist without a time", () => {
    const absences = new Absences(undefined);
    absences.missed("a", 0);
    assert.deepEqual(absences.claimed(1e12), []);
    assert.equal(absences.opinion(["a"], 1e12), "disagrees");
    assert.equal(absences.opinion([], 0), "agrees");
    assert.equal(absences.nextMs(0), Number.POSITIVE_INFINITY);
  });
});
