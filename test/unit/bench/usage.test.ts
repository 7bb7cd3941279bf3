import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseMetrics } from "../../../bench/usage/metrics-page.js";
import { parseSocketBytes } from "../../../bench/usage/sockets.js";

describe("a metrics page", () => {
  test("is the sum of each metric's series", () => {
    const page = parseMetrics(
      [
        "# HELP bss_votes_total Votes.",
        'bss_votes_total{kind="a b",direction="sent"} 3',
        'bss_votes_total{kind="c",direction="sent"} 4.5',
        "bss_blocks_total 17",
        "bss_store_write_seconds_count 1e3",
        "",
      ].join("\n"),
    );
    assert.deepEqual(
      [...page],
      [
        ["bss_votes_total", 7.5],
        ["bss_blocks_total", 17],
        ["bss_store_write_seconds_count", 1_000],
      ],
    );
  });
});

describe("what ss prints", () => {
  const line = (ports: readonly [number, number], pid: number, bytes: string) =>
    `ESTAB 0 0 127.0.0.1:${ports[0]} 127.0.0.1:${ports[1]} users:(("node",pid=${pid},fd=22)) ` +
    `cubic wscale:7,7 rto:204 mss:32768 ${bytes} segs_out:9`;
  const text = [
    line([7401, 50_000], 11, "bytes_sent:100 bytes_acked:100 bytes_received:7"),
    line([50_000, 7401], 12, "bytes_sent:7 bytes_acked:7 bytes_received:100"),
    line([7401, 50_002], 11, "bytes_received:5"),
    line([50_004, 9401], 12, "bytes_sent:1000 bytes_received:1000"),
    "ESTAB 0 0 127.0.0.1:1 127.0.0.1:2 cubic bytes_sent:5",
  ].join("\n");

  test("is summed up by process, and what nobody owns is left out", () => {
    const bytes = parseSocketBytes(text, new Set());
    assert.deepEqual(bytes.get(11), { sent: 100, received: 12 });
    assert.deepEqual(bytes.get(12), { sent: 1_007, received: 1_100 });
    assert.equal(bytes.size, 2);
  });

  test("leaves out the ports that are named, at either end", () => {
    const bytes = parseSocketBytes(text, new Set([9401]));
    assert.deepEqual(bytes.get(12), { sent: 7, received: 100 });
  });
});
