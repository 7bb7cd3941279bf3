import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  areConnected,
  type NodeRow,
  StatusDisplay,
  summaryOf,
} from "../../../../src/cli/nodes/devnet-display.js";
import type { Output } from "../../../../src/cli/text/output.js";
import { toJson } from "../../../../src/cli/text/output.js";

const status = (height: number, rootByte: number) => ({
  height,
  treeSize: height * 10,
  root: new Uint8Array(32).fill(rootByte),
  peers: 3,
  syncing: false,
  round: 0,
  step: "idle",
  waitsFor: "",
  abstaining: "",
  halted: "",
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
    lines: () => {},
    note: () => {},
  };
  const stream = { isTTY, columns, write: (text: string) => printed.push(text) > 0 };
  const display = new StatusDisplay(output, stream as unknown as NodeJS.WriteStream);
  return { printed, display };
}

describe("areConnected", () => {
  const peered = (role: NodeRow["role"], peers: number, abstaining = ""): NodeRow => ({
    ...row("node", 1),
    role,
    status: { ...status(1, 0), peers, abstaining },
  });
  const managers = [peered("manager", 2), peered("manager", 1)];

  test("holds when each node hears all managers and would take part", () => {
    assert.ok(areConnected([...managers, peered("storage", 2)]));
    assert.ok(!areConnected([...managers, peered("storage", 1)]));
    assert.ok(!areConnected([...managers, peered("manager", 2)]));
    assert.ok(!areConnected([...managers, peered("storage", 2, "1 of 2 managers heard")]));
    const silent: NodeRow = { id: "manager-3", role: "manager", pid: 1, state: "silent" };
    assert.ok(!areConnected([...managers, silent]));
  });
});

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
          waits_for: "",
          abstaining: "",
          halted: "",
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

describe("a wait", () => {
  const waiting = (id: string, waitsFor: string): NodeRow => {
    const { status: idle, ...rest } = row(id, 1);
    return idle === undefined ? rest : { ...rest, status: { ...idle, waitsFor } };
  };

  test("is one line for all who wait for the same, and gone when it is over", () => {
    const { printed, display } = recorder(false, true);
    const what = "the ACCEPT of manager-3";
    display.update([waiting("manager-1", what), waiting("manager-2", what)]);
    display.update([row("manager-1", 2), row("manager-2", 2)]);
    display.update([row("manager-1", 2), row("manager-2", 2)]);
    assert.match(
      printed[0] ?? "",
      /manager-1, manager-2: no block without the ACCEPT of manager-3/,
    );
    assert(printed[1]?.startsWith("\x1b[5A"));
    assert(printed[1]?.endsWith("\x1b[2K\n\x1b[1A"), "the line that is left over is cleared");
    assert(printed[2]?.startsWith("\x1b[4A"));
  });

  test("is told once without a terminal, whatever it is in each round", () => {
    const { printed, display } = recorder(false, false);
    for (const what of ["", "the ACCEPT of manager-3", "the proposal of manager-3", ""]) {
      display.update([waiting("manager-1", what)]);
    }
    assert.deepEqual(
      printed.map((line) => line.split("peers 3")[1]),
      ["", ", waits for the ACCEPT of manager-3", ""],
    );
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
