import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command } from "commander";
import {
  fields,
  formatBytes,
  formatDuration,
  formatTime,
  outputOf,
  shortHash,
  table,
  toJson,
} from "../../../../src/cli/text/output.js";

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
  test("byte strings are hex, integers are numbers, maps are objects", () => {
    const value = {
      hash: Uint8Array.of(1, 255),
      height: 12n,
      huge: 2n ** 53n,
      peers: new Map([["a", 1n]]),
      none: undefined,
      list: [Buffer.from([9])],
    };
    const expected =
      '{"hash":"01ff","height":12,"huge":"9007199254740992","peers":{"a":1},"list":["09"]}';
    assert.equal(toJson(value), expected);
  });
});

/** What a node may say of itself: the screen cleared, a line forged, text turned, hidden, red. */
const hostile = [
  "a\u001B[2J\u001B[1;1Hb\r\nmanager-1  in step",
  "\u009B31m\u202Ec\u2066d\u200Be\u2028f\u0085g\u0007h\u007F",
].join("");
const shown = /^[^\p{C}\u2028\u2029]*$/u;

describe("what others wrote", () => {
  test("stays in its cell: it moves no cursor and begins no line", () => {
    const text = table([{ title: "NODE" }, { title: "STATE" }], [["storage-1", hostile]]);
    assert.equal(text.split("\n").length, 2);
    for (const line of text.split("\n")) assert.match(line, shown);
    const pairs = fields([["halted", hostile]]);
    assert.match(pairs, shown);
    assert.match(pairs, /b manager-1 {2}in step/);
  });

  test("is cut where it is long", () => {
    const cell = fields([["halted", "x".repeat(1_000_000)]]);
    assert.ok(cell.length < 2_100 && cell.endsWith("x…"));
  });

  test("stays in its line of a command's output, and JSON says the same", (t) => {
    const written = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      t.mock.method(process[name], "write", (text: string) => {
        written[name] += text;
        return true;
      });
    }
    const output = outputOf(new Command());
    output.line(`storage-1 has halted: ${hostile}`);
    output.note(`a link is down: ${hostile}`);
    output.lines(table([{ title: "WHY" }], [[hostile]]));
    output.result({}, () => `x ${hostile.replaceAll(/[\r\n]/g, "")}`);
    const asJson = outputOf(new Command().option("--json").parse(["--json"], { from: "user" }));
    asJson.result({ halted: hostile }, String);
    t.mock.restoreAll();
    const lines = written.stdout.split("\n");
    assert.equal(lines.length, 1 + 2 + 1 + 1 + 1);
    for (const line of [...lines, ...written.stderr.trimEnd().split("\n")]) {
      assert.match(line, shown);
    }
    assert.equal(written.stderr.split("\n").length, 2);
    assert.deepEqual(JSON.parse(lines.at(-2) ?? ""), { halted: hostile });
  });
});
