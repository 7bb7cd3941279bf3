import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Logger } from "pino";
import { createMetrics } from "../../../src/metrics/metrics.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import { linksObserver } from "../../../src/storage-node/storage-node-observer.js";

describe("what a storage node says of its links", () => {
  const observed = () => {
    const lines: string[] = [];
    const write = (level: string) => (_fields: object, text: string) =>
      void lines.push(`${level} ${text}`);
    const log = {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
    } as unknown as Logger;
    const metrics = createMetrics({
      role: "storage",
      nodeId: "storage-1",
      consortium: "demo",
      processMetrics: false,
    });
    const clock = { nowMs: 0 };
    const links = linksObserver(log, metrics, () => clock.nowMs);
    return { lines, metrics, clock, links };
  };

  test("is a warning once, while a link is down", () => {
    const { lines, links } = observed();
    const cause = new RpcError("NODE_UNREACHABLE", "no route");
    links.changed("manager-1", "disconnected", 0, cause);
    links.changed("manager-1", "disconnected", 0, cause);
    assert.deepEqual(lines, ["warn a link is down", "debug a link is down"]);
  });

  test("is what it means that another process took one over, at all managers once", async () => {
    const { lines, metrics, clock, links } = observed();
    const cause = new RpcError("LINK_TAKEN_OVER", "taken");
    for (const managerId of ["manager-1", "manager-2", "manager-1"]) {
      links.changed(managerId, "disconnected", 0, cause);
    }
    const [line = "", ...more] = lines;
    assert.match(line, /^error another process runs with this node's key.+: stop one of the two;/);
    assert.deepEqual(more, []);
    clock.nowMs = 10 * 60_000;
    links.changed("manager-2", "disconnected", 0, cause);
    assert.equal(lines.length, 2);
    assert.match(await metrics.exposition(), /bss_links_taken_over_total\{.+\} 4\n/);
  });
});
