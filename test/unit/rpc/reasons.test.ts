import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ruleReasons } from "../../../src/ledger/violation.js";
import { isReason, reasonGroups, reasonTable } from "../../../src/rpc/reasons.js";
import { statusCodes, statusName } from "../../../src/rpc/status-codes.js";
import { renderErrorReference } from "../../support/error-reference.js";
import { repositoryRoot } from "../../support/tree.js";

describe("the table of reasons", () => {
  test("holds every reason of the ledger's rules", () => {
    for (const reason of ruleReasons) assert.ok(isReason(reason), reason);
  });

  test("knows nothing that it does not hold", () => {
    for (const name of ["", "NO_SUCH_REASON", "toString", "__proto__"]) {
      assert.equal(isReason(name), false, name);
    }
  });

  test("names each reason once in the documented groups", () => {
    const documented = reasonGroups.flatMap(({ reasons }) => Object.keys(reasons));
    assert.equal(new Set(documented).size, documented.length);
    assert.deepEqual(documented.toSorted(), Object.keys(reasonTable).toSorted());
  });

  for (const [reason, entry] of Object.entries(reasonTable)) {
    test(`describes ${reason} in one sentence and with a sensible retry`, () => {
      assert.match(reason, /^[A-Z][A-Z0-9_]+$/);
      assert.match(entry.summary, /^[A-Z].*[.]$/);
      const transient = ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"].includes(
        entry.status,
      );
      if (entry.retryAfterMs !== undefined) assert.ok(transient && entry.retryAfterMs > 0);
    });
  }

  test("is what docs/errors.md says, as write-error-reference.js writes it", () => {
    const written = readFileSync(join(repositoryRoot(), "docs", "errors.md"), "utf8");
    assert.equal(written, renderErrorReference());
    for (const reason of ruleReasons) assert.ok(written.includes(`\`${reason}\``), reason);
  });
});

describe("status codes", () => {
  test("have gRPC's numbers and their names back", () => {
    for (const [name, code] of Object.entries(statusCodes)) assert.equal(statusName(code), name);
    assert.equal(statusCodes.UNAUTHENTICATED, 16);
    assert.equal(statusName(99), "UNKNOWN");
  });
});
