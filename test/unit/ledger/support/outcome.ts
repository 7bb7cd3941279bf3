import assert from "node:assert/strict";
import type { Result } from "../../../../src/base/result.js";
import type { Violation } from "../../../../src/ledger/violation.js";

/** The value of a result that must be right. */
export function accepted<T>(result: Result<T, unknown>): T {
  assert.ok(result.ok, result.ok ? "" : JSON.stringify(result.error));
  return result.value;
}

/** The error of a result that must be wrong. */
export function refusal<E = Violation>(result: Result<unknown, E>): E {
  assert.ok(!result.ok, "it was accepted");
  return result.error;
}
