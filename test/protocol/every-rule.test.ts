/**
 * Every rule of docs/protocol.md §4 that is in force (● or ◐) is shown by a conversation in this
 * directory, or, where it is not the ring's own, tested in the file named here.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { listFiles, repositoryRoot } from "../support/tree.js";

const elsewhere: Readonly<Record<string, string>> = {
  "R4.0.3": "test/unit/manager/ring/abstention.test.ts",
  "R4.1.3": "test/simulation/checkers/timestamps.ts",
  "R4.1.5": "test/unit/manager/ring/compact-bodies.test.ts",
  "R4.2.5": "test/unit/ledger/blocks/block-validation.test.ts",
  "R4.6.4": "test/unit/consensus/ring/next-height.test.ts",
  "R4.6.5": "test/unit/store/double-sign-protection/vote-log.test.ts",
  "R4.7.1": "test/unit/manager/screening/objections.test.ts",
  "R4.7.2": "test/unit/manager/submissions/submissions.test.ts",
  "R4.7.4": "test/unit/manager/screening/objections.test.ts",
  "R4.7.5": "test/unit/manager/submissions/submissions.test.ts",
  "R4.8.2": "test/unit/ledger/suspension-blocks.test.ts",
  "R4.8.3": "test/unit/manager/supervision/resumption.test.ts",
  "R4.8.4": "test/unit/ledger/members/manager-suspensions.test.ts",
  "R4.8.5": "test/simulation/checkers/certificates.ts",
  "R4.8.6": "test/unit/manager/supervision/suspension-pool.test.ts",
  "R4.8.7": "test/unit/ledger/members/manager-suspensions.test.ts",
  "R4.8.8": "test/unit/ledger/members/manager-suspensions.test.ts",
  "R4.8.9": "test/unit/manager/supervision/suspension-pool.test.ts",
  "R4.9.2": "test/unit/manager/supervision/head-watch.test.ts",
  "R4.9.3": "test/unit/manager/supervision/head-watch.test.ts",
  "R4.9.4": "test/unit/manager/supervision/fork-watch.test.ts",
  "R4.9.5": "test/unit/manager/submissions/availability.test.ts",
  "R4.9.6": "test/unit/manager/supervision/suspension-exchange.test.ts",
  "R4.9.7": "test/unit/ledger/certificates/evidence.test.ts",
};

const root = repositoryRoot();
const document = readFileSync(join(root, "docs", "protocol.md"), "utf8");
const inForce = [...document.matchAll(/^- \[(R4\.\d+\.\d+)\] [●◐]/gm)].map(([, tag = ""]) => tag);
const shown = new Set(
  listFiles(root, "test/protocol")
    .filter((path) => path.endsWith(".test.ts") && !path.endsWith("every-rule.test.ts"))
    .flatMap((path) => [...readFileSync(join(root, path), "utf8").matchAll(/R4\.\d+\.\d+/g)])
    .map(([tag]) => tag),
);

describe("the rules of the rounds", () => {
  test("the document holds rules that are in force", () => assert.ok(inForce.length > 25));

  for (const tag of inForce) {
    test(`[${tag}] is tested`, () => {
      const other = elsewhere[tag];
      assert.ok(shown.has(tag) || (other !== undefined && existsSync(join(root, other))));
    });
  }

  test("no test names a rule that the document does not hold", () => {
    const unknown = [...shown, ...Object.keys(elsewhere)].filter((tag) => !inForce.includes(tag));
    assert.deepEqual(unknown, []);
  });
});
