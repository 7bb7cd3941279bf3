import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { lastingReasons } from "../../../../src/ledger/certificates/objections.js";
import { reasonsOfOrder, rules } from "../../../../src/ledger/records/rules.js";

describe("the reasons of objections", () => {
  test("are each of order, lasting, or known to be neither", () => {
    const neither = ["RECORD_ON_LEDGER", "TIME_IN_FUTURE", "ENERGY_INVALID"];
    const given = new Set(rules.flatMap(({ reasons }) => reasons));
    const sorted = [...reasonsOfOrder, ...lastingReasons, ...neither];
    assert.deepEqual(sorted.toSorted(), [...given].toSorted());
  });
});
