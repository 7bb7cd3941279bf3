import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LinkTurns } from "../../../../src/manager/storage-nodes/link-turns.js";

const minuteMs = 60_000;

describe("two processes with one storage node's key", () => {
  /** Connections by their ports take the link one after the other, `everyMs`. */
  const takes = (ports: readonly number[], everyMs = 2_000) => {
    let nowMs = 0;
    const turns = new LinkTurns(() => nowMs);
    return ports.slice(1).map((port, i) => {
      nowMs += everyMs;
      const [former, latter] = [`127.0.0.1:${ports[i]}`, `127.0.0.1:${port}`];
      const found = turns.takenOver("storage-1", { former, latter });
      return found === undefined ? "" : found.isToTell ? "tell" : "again";
    });
  };

  test("are not found where one process dials anew, however often", () => {
    assert.deepEqual(takes([1, 2, 3, 4, 5, 6]), ["", "", "", "", ""]);
  });

  test("are found when a connection that was pushed off comes back", () => {
    assert.deepEqual(takes([1, 2, 1]), ["", "tell"]);
    assert.deepEqual(takes([1, 2, 3, 1]), ["", "", "tell"]);
  });

  test("are told of once in ten minutes", () => {
    const ports = Array.from({ length: 14 }, (_, i) => 1 + (i % 2));
    const found = takes(ports, minuteMs);
    assert.deepEqual(
      found.flatMap((each, i) => (each === "tell" ? [i] : [])),
      [1, 11],
    );
    assert.equal(found.filter((each) => each === "again").length, 10);
  });

  test("are not found by a port that another connection has after minutes", () => {
    assert.deepEqual(takes([1, 2, 1], 6 * minuteMs), ["", ""]);
  });

  test("of other nodes are another matter", () => {
    const turns = new LinkTurns(() => 0);
    turns.takenOver("storage-1", { former: "a:1", latter: "a:2" });
    assert.equal(turns.takenOver("storage-2", { former: "a:2", latter: "a:1" }), undefined);
  });
});
