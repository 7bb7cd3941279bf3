import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recordKinds } from "../../../../src/ledger/kinds/kinds.js";

describe("the kinds of records", () => {
  for (const [name, { label }] of Object.entries(recordKinds)) {
    test(`${name} is called ${label}`, () => {
      assert.equal(
        label,
        name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      );
    });
  }

  test("are written differently in the state", () => {
    const stored = Object.values(recordKinds).map((kind) => kind.stored);
    assert.equal(new Set(stored).size, stored.length);
  });
});
