import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Closers } from "../../../src/node/running-node.js";

describe("what a node has opened", () => {
  test("is closed in the reverse order, one after the other, once", async () => {
    const closers = new Closers();
    const order: string[] = [];
    for (const name of ["disk", "links", "server"]) {
      closers.add(async () => {
        order.push(`${name} closes`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} is closed`);
      });
    }
    await Promise.all([closers.close(), closers.close()]);
    await closers.close();
    assert.deepEqual(
      order,
      ["server", "links", "disk"].flatMap((name) => [`${name} closes`, `${name} is closed`]),
    );
  });

  test("is closed past a failure, which is told at the end", async () => {
    const closers = new Closers();
    let closed = false;
    closers.add(async () => {
      closed = true;
    });
    closers.add(async () => {
      throw new Error("stuck");
    });
    await assert.rejects(closers.close(), /stuck/);
    assert.ok(closed);
  });
});
