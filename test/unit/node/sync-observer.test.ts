import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Logger } from "pino";
import type { Metrics } from "../../../src/metrics/metrics.js";
import { syncObserver } from "../../../src/node/sync-observer.js";

describe("the log of a peer that did not give its blocks", () => {
  const lines: { readonly next?: string; readonly detail: string }[] = [];
  const log = { warn: (line: (typeof lines)[number]) => lines.push(line) } as unknown as Logger;
  const metrics = { syncBlamed: { inc: () => {} } } as unknown as Metrics;
  const { blamed } = syncObserver(log, metrics);

  test("names genesis.json where that is another one, and only there", () => {
    blamed("manager-1", "invalid", "CONSORTIUM_MISMATCH", 5_000);
    blamed("manager-1", "invalid", "BLOCK_MALFORMED", 5_000);
    assert.match(lines[0]?.next ?? "", /^compare genesis\.json with the peer's/);
    assert.deepEqual(lines[1], {
      peer: "manager-1",
      reason: "invalid",
      detail: "BLOCK_MALFORMED",
      forMs: 5_000,
    });
  });
});
