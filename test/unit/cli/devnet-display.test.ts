import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type NodeRow, StatusDisplay, summaryOf } from "../../../src/cli/devnet-display.js";
import type { Output } from "../../../src/cli/output.js";
import { toJson } from "../../../src/cli/output.js";

const status = (height: number, rootByte: number) => ({
  height,
  treeSize: height * 10,
  root: new Uint8Array(32).fill(rootByte),
  peers: 3,
  syncing: false,
  round: 0,
  step: "idle",
});
const row = (id: string, height: number, rootByte = 0xab): NodeRow => ({
  id,
  role: "manager",
  pid: 1,
  state: "running",
  status: status(height, rootByte),
});

function recorder(json: boolean, isTTY: boolean, columns = 80) {
  const printed: string[] = [];
  const output: Output = {
    json,
    result: (value, forPeople) => void printed.push(json ? toJson(value) : forPeople()),
    line: () => {},
    note: () => {},
  };
  const stream = { isTTY, columns, write: (text: string) => printed.push(text) > 0 };
  const display = new StatusDisplay(output, stream as unknown as NodeJS.WriteStream);
  return { printed, display };
}

describe("StatusDisplay", () => {
  test("prints a line per change where there is no terminal", () => {
    const { printed, display } = recorder(false, false);
    display.update([row("manager-1", 1), row("manager-2", 1)]);
    display.update([row("manager-1", 1), row("manager-2", 2)]);
    display.update([
      row("manager-1", 1),
      { id: "manager-2", role: "manager", pid: 1, state: "ended" },
    ]);
    assert.deepEqual(printed, [
      "manager-1 height 1, records 10, root abababababab, peers 3",
      "manager-2 height 1, records 10, root abababababab, peers 3",
      "manager-2 height 2, records 20, root abababababab, peers 3",
      "manager-2 ended",
    ]);
  });

  test("prints JSON per change with --json, also on a terminal", () => {
    const { printed, display } = recorder(true, true);
    display.update([row("manager-1", 1)]);
    display.update([row("manager-1", 1)]);
    assert.deepEqual(
      printed.map((text) => JSON.parse(text)),
      [
        {
          node: "manager-1",
          role: "manager",
          pid: 1,
          state: "running",
          height: 1,
          tree_size: 10,
          root: "ab".repeat(32),
          peers: 3,
          syncing: false,
        },
      ],
    );
  });

  test("redraws the table in place on a terminal, cut to its width", () => {
    const { printed, display } = recorder(false, true, 40);
    display.update([row("manager-1", 1)]);
    display.update([row("manager-1", 2)]);
    display.end();
    display.update([row("manager-1", 2)]);
    assert(!printed[0]?.startsWith("\x1b[3A"));
    assert(printed[1]?.startsWith("\x1b[3A\x1b[2K"));
    assert(!printed[2]?.startsWith("\x1b[3A"), "the last table stays");
    for (const line of (printed[1] ?? "").replace("\x1b[3A", "").split("\n")) {
      assert(line.replace("\x1b[2K", "").length < 40, line);
    }
  });
});

describe("summaryOf", () => {
  test("says whether the nodes at the top hold one root", () => {
    const silent: NodeRow = { id: "s", role: "storage", pid: 2, state: "silent" };
    assert.equal(summaryOf([silent]), "0 of 1 nodes answer");
    assert.equal(
      summaryOf([row("a", 5), row("b", 5), row("c", 4, 1), silent]),
      "3 of 4 nodes answer, 2 at height 5 with one root",
    );
    assert.equal(
      summaryOf([row("a", 5), row("b", 5, 1)]),
      "2 of 2 nodes answer, 2 at height 5 with DIFFERENT ROOTS",
    );
  });
});
