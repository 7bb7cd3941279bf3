import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ruleIds, rules, signatureRules } from "../../../../src/ledger/rules/catalogue.js";
import { ruleReasons } from "../../../../src/ledger/violation.js";

describe("the catalogue of rules", () => {
  const all = [...signatureRules, ...rules];

  test("names each rule once", () => {
    assert.equal(new Set(ruleIds).size, all.length);
    assert.deepEqual(new Set(ruleIds), new Set(all.map((rule) => rule.id)));
  });

  test("says of each rule what it demands and for which known reasons it refuses", () => {
    for (const { id, demands, reasons } of all) {
      assert.match(id, /^[a-z-]+$/);
      assert.match(demands, /^[A-Z].*\.$/);
      assert.ok(reasons.length > 0, id);
      for (const reason of reasons) assert.ok(ruleReasons.includes(reason), reason);
    }
  });
});
