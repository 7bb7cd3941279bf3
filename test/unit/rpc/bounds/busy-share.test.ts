import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { busyShareMeter } from "../../../../src/rpc/bounds/busy-share.js";

test("the share of the time in which a process is busy is that of the last span", async () => {
  const share = busyShareMeter();
  assert.equal(share(), 0);
  // Work in many turns, as a server has it.
  const endMs = performance.now() + 200;
  while (performance.now() < endMs) await new Promise((resolve) => setImmediate(resolve));
  const busy = share();
  assert.ok(busy > 0.5, `${busy}`);
  assert.equal(share(), busy);
  await sleep(2_000);
  assert.ok(share() < busy);
});
