import assert from "node:assert/strict";
import { test } from "node:test";
import { FailedAudits } from "../../../../src/storage-node/repair/failed-audits.js";

test("a failed audit is told once, and not before the node holds the head", () => {
  let [isFailed, isBehind, told] = [false, false, 0];
  const audits = new FailedAudits({
    isFailed: () => isFailed,
    isBehind: () => isBehind,
    onFailed: () => {
      told += 1;
    },
  });
  const toldAfter = (failed: boolean, behind = false) => {
    [isFailed, isBehind] = [failed, behind];
    audits.look();
    return told;
  };
  assert.equal(toldAfter(false), 0);
  assert.equal(toldAfter(true, true), 0, "a later block may say that one was passed since");
  assert.equal(toldAfter(true), 1);
  assert.equal(toldAfter(true), 1);
  assert.equal(toldAfter(false), 1);
  assert.equal(toldAfter(true), 2);
});
