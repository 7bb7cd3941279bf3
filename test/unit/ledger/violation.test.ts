import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refuse, ruleReasons, violation } from "../../../src/ledger/violation.js";

describe("violations", () => {
  test("have reasons that are distinct and stable names", () => {
    assert.equal(new Set(ruleReasons).size, ruleReasons.length);
    for (const reason of ruleReasons) assert.match(reason, /^[A-Z]+(_[A-Z0-9]+)*$/);
  });

  test("leave the field out when there is none", () => {
    assert.deepEqual(violation("SALT_INVALID", "No salt."), {
      reason: "SALT_INVALID",
      message: "No salt.",
    });
    assert.deepEqual(refuse("SALT_INVALID", "No salt.", "salt"), {
      ok: false,
      error: { reason: "SALT_INVALID", message: "No salt.", field: "salt" },
    });
  });
});
