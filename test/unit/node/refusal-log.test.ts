import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refusalLog } from "../../../src/node/refusal-log.js";

describe("the log of refused callers", () => {
  test("has one line a minute for each address and reason, and a bound for all", () => {
    const lines: { peerAddress: string; reason: string; untold: number }[] = [];
    let nowMs = 5;
    const log = { warn: (line: (typeof lines)[number]) => void lines.push(line) };
    const refused = refusalLog(log as never, () => nowMs);
    for (let i = 0; i < 3; i++) refused("10.0.0.1", "TLS: unknown ca");
    refused("10.0.0.2", "TLS: unknown ca");
    assert.deepEqual(
      lines.map(({ peerAddress }) => peerAddress),
      ["10.0.0.1", "10.0.0.2"],
    );
    for (let i = 0; i < 100; i++) refused(`10.0.1.${i}`, "TLS: http request");
    assert.equal(lines.length, 20);
    nowMs += 60_000;
    refused("10.0.0.1", "TLS: unknown ca");
    assert.deepEqual(lines.at(-1), {
      peerAddress: "10.0.0.1",
      reason: "TLS: unknown ca",
      untold: 82,
    });
  });
});
