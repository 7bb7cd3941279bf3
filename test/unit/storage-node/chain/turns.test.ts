import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Closers } from "../../../../src/node/closers.js";
import { Turns } from "../../../../src/storage-node/chain/turns.js";

const soon = () => new Promise((resolve) => setImmediate(resolve));

describe("turns", () => {
  test("never overlap and keep their order, also after one that failed", async () => {
    const turns = new Turns();
    const seen: string[] = [];
    const job = (name: string) => async () => {
      seen.push(`${name} starts`);
      await soon();
      seen.push(`${name} ends`);
      if (name === "b") throw new Error("b failed");
    };
    const results = await Promise.allSettled(["a", "b", "c"].map((name) => turns.run(job(name))));
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.deepEqual(
      seen,
      ["a", "b", "c"].flatMap((name) => [`${name} starts`, `${name} ends`]),
    );
  });

  test("are idle once all that were handed in are over", async () => {
    const turns = new Turns();
    let over = false;
    void turns.run(async () => {
      await soon();
      over = true;
    });
    await turns.idle();
    assert.ok(over);
  });
});

describe("closers", () => {
  test("close in reverse order, once, past one that fails", async () => {
    const closers = new Closers();
    const closed: string[] = [];
    for (const name of ["store", "server", "links"]) {
      closers.add(async () => {
        closed.push(name);
        if (name === "server") throw new Error("the server does not close");
      });
    }
    await assert.rejects(closers.close(), /does not close/);
    await assert.rejects(closers.close(), /does not close/);
    assert.deepEqual(closed, ["links", "server", "store"]);
  });
});
