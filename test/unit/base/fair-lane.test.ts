import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FairLane } from "../../../src/base/fair-lane.js";
import { gate } from "../manager/support/ledger-world.js";

describe("a lane of work", () => {
  /** Pieces of work that end when they are told, and in which order they began. */
  const crew = (atOnceMax: number) => {
    const lane = new FairLane(atOnceMax);
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const run = (causer: string, name: string, group?: string) => {
      const work = async () => {
        begun.push(name);
        const end = gate();
        ends.set(name, end.open);
        await end.promise;
        return name;
      };
      return lane.run(causer, work, group);
    };
    const end = async (name: string) => {
      ends.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { begun, run, end };
  };

  test("does so many pieces at a time and no more", async () => {
    const { begun, run, end } = crew(2);
    const all = Promise.all(["1", "2", "3", "4"].map((name) => run("a", name)));
    await end("");
    assert.deepEqual(begun, ["1", "2"]);
    await end("2");
    assert.deepEqual(begun, ["1", "2", "3"]);
    for (const name of ["1", "3", "4"]) await end(name);
    assert.deepEqual(await all, ["1", "2", "3", "4"]);
  });

  test("gives each who causes work its turn, however much another one brings", async () => {
    const { begun, run, end } = crew(1);
    const work = [
      ...["a1", "a2", "a3", "a4"].map((name) => run("a", name)),
      run("b", "b1"),
      run("c", "c1"),
    ];
    await end("");
    for (let i = 0; i < 6; i++) await end(begun.at(-1) ?? "");
    await Promise.all(work);
    assert.deepEqual(begun, ["a1", "a2", "b1", "c1", "a3", "a4"]);
  });

  test("gives each group its turn, however many are in another one", async () => {
    const { begun, run, end } = crew(1);
    const work = [
      ...["a", "b", "c", "d"].map((causer) => run(causer, `${causer}1`, "many")),
      ...["1", "2", "3"].map((piece) => run("m", `m${piece}`, "few")),
    ];
    await end("");
    for (let i = 0; i < 7; i++) await end(begun.at(-1) ?? "");
    await Promise.all(work);
    assert.deepEqual(begun, ["a1", "b1", "m1", "c1", "m2", "d1", "m3"]);
  });

  test("runs no more pieces of one causer at a time than it may have", async () => {
    const lane = new FairLane(2, 1);
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const run = (causer: string, piece: string) =>
      lane.run(causer, () => {
        begun.push(piece);
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    const work = [run("a", "a1"), run("a", "a2"), run("b", "b1"), run("c", "c1")];
    assert.deepEqual(begun, ["a1", "b1"]);
    assert.equal(lane.isCrowded, true);
    ends[1]?.();
    await work[2];
    assert.deepEqual(begun, ["a1", "b1", "c1"]);
    assert.equal(lane.isCrowded, false);
    ends[0]?.();
    await work[0];
    assert.deepEqual(begun, ["a1", "b1", "c1", "a2"]);
    for (const end of ends) end();
    await Promise.all(work);
  });

  test("goes on after a piece that fails", async () => {
    const lane = new FairLane(1);
    const failing = lane.run("a", () => Promise.reject(new Error("no")));
    const next = lane.run("b", async () => "done");
    await assert.rejects(failing, /no/);
    assert.equal(await next, "done");
    assert.equal(await lane.run("a", async () => "free again"), "free again");
  });
});
