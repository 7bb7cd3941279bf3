import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compareIds, isId } from "../../../src/ledger/ids.js";

describe("ids", () => {
  for (const id of ["a", "0", "-", "manager-1", "a".repeat(63)]) {
    test(`${id.slice(0, 12)} (${id.length} characters) is an id`, () => assert.ok(isId(id)));
  }
  for (const id of ["", "a".repeat(64), "A", "a b", "a_b", "a\n", "ä", "a/b", "а"]) {
    test(`${JSON.stringify(id.slice(0, 12))} is none`, () => assert.ok(!isId(id)));
  }

  test("ids are ordered by their bytes", () => {
    const ids = ["b", "a-1", "a", "a1", "0", "a-10", "a-2"];
    assert.deepEqual(ids.sort(compareIds), ["0", "a", "a-1", "a-10", "a-2", "a1", "b"]);
    assert.equal(compareIds("a", "a"), 0);
  });
});
