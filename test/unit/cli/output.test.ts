import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  fields,
  formatBytes,
  formatDuration,
  formatTime,
  shortHash,
  table,
  toJson,
} from "../../../src/cli/output.js";

describe("output for people", () => {
  test("a table is as wide as it needs to be and has no trailing blanks", () => {
    const columns = [
      { title: "ID" },
      { title: "HEIGHT", align: "right" },
      { title: "ROOT" },
    ] as const;
    const rows = [
      ["manager-1", 12n, "ab"],
      ["s", undefined, ""],
    ];
    assert.equal(
      table(columns, rows),
      "ID         HEIGHT  ROOT\nmanager-1      12  ab\ns               -",
    );
    assert.equal(table(columns, []), "ID  HEIGHT  ROOT");
  });

  test("names and values stand below each other", () => {
    assert.equal(
      fields([
        ["id", "x"],
        ["height", 3],
        ["none", undefined],
      ]),
      "id      x\nheight  3\nnone    -",
    );
  });

  test("times are in UTC, with milliseconds only when there are some", () => {
    assert.equal(formatTime(1_715_950_800_000), "2024-05-17 13:00:00 UTC");
    assert.equal(formatTime(1_715_950_800_250n), "2024-05-17 13:00:00.250 UTC");
    assert.equal(formatTime(9e15), "never");
  });

  const durations: readonly (readonly [number, string])[] = [
    [0.4, "0 ms"],
    [850, "850 ms"],
    [12_345, "12.3 s"],
    [59_949, "59.9 s"],
    [59_950, "1 min 00 s"],
    [245_000, "4 min 05 s"],
    [12_000_000, "3 h 20 min"],
  ];
  for (const [durationMs, text] of durations) {
    test(`${durationMs} ms reads ${text}`, () => assert.equal(formatDuration(durationMs), text));
  }

  test("bytes have binary units", () => {
    assert.deepEqual([0, 1023, 1024, 12 * 1024 ** 2, 5e15].map(formatBytes), [
      "0 B",
      "1023 B",
      "1.0 KiB",
      "12.0 MiB",
      "4547.5 TiB",
    ]);
  });

  test("a hash is shortened to what can be compared by eye", () => {
    assert.equal(shortHash(new Uint8Array(32).fill(0xab)), "abababababab");
    assert.equal(shortHash("0123456789", 4), "0123");
  });
});

describe("output for machines", () => {
  test("byte strings are hex, 64-bit integers are strings, maps are objects", () => {
    const value = {
      hash: Uint8Array.of(1, 255),
      height: 12n,
      peers: new Map([["a", 1n]]),
      none: undefined,
      list: [Buffer.from([9])],
    };
    assert.equal(toJson(value), '{"hash":"01ff","height":"12","peers":{"a":"1"},"list":["09"]}');
  });
});
