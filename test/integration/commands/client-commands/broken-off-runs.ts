import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { describe, test } from "node:test";
import { mainFile } from "../../../support/bss.js";
import type { CommandWorld } from "./command-world.js";

export function testBrokenOffRuns(world: CommandWorld): void {
  const { ok, readings, receiptsOf } = world;

  describe("a run that ends too early", () => {
    test("a run that was broken off is taken up again, and nothing stands twice", async () => {
      readings("long.csv", 300, 1000);
      const before = world.toy.ledger.entries.length;
      let ordered = 0;
      let reached = () => {};
      const half = new Promise<void>((resolve) => {
        reached = resolve;
      });
      for (const { misbehaviour } of world.toy.managers) {
        misbehaviour.beforeAnswer = async () => {
          ordered += 1;
          if (ordered === 15) reached();
          // Ordered, but the answer never comes.
          if (ordered >= 12) await new Promise(() => {});
        };
      }
      const args = [
        "submit",
        "long.csv",
        "-p",
        world.profile,
        "--out",
        "long.jsonl",
        "--batch",
        "10",
        "--in-flight",
        "4",
      ];
      const child = spawn(process.execPath, [mainFile, ...args], { cwd: world.directory });
      let err = "";
      child.stderr.on("data", (chunk) => {
        err += chunk;
      });
      await half;
      child.kill("SIGINT");
      assert.equal(await new Promise((resolve) => child.once("close", resolve)), 130);
      assert.match(err, /stopped after 110 receipts; run the same command again/);
      assert.equal(receiptsOf("long.jsonl").length, 110);
      for (const { misbehaviour } of world.toy.managers) delete misbehaviour.beforeAnswer;

      const summary = JSON.parse(await ok(...args, "--json"));
      assert.deepEqual([summary.received, summary.done_before], [190, 110]);
      assert.equal(world.toy.ledger.entries.length, before + 300);
      const hashes = receiptsOf("long.jsonl").map(({ record_hash }) => record_hash);
      assert.equal(new Set(hashes).size, 300);
      const third = JSON.parse(await ok(...args, "--json"));
      assert.deepEqual([third.received, third.done_before], [0, 300]);
    });

    test("kill -9 between sending and the receipt costs nothing either", async () => {
      readings("killed.csv", 20, 2000);
      const before = world.toy.ledger.entries.length;
      let reached = () => {};
      const sent = new Promise<void>((resolve) => {
        reached = resolve;
      });
      for (const { misbehaviour } of world.toy.managers) {
        misbehaviour.beforeAnswer = async () => {
          reached();
          await new Promise(() => {});
        };
      }
      const args = ["submit", "killed.csv", "-p", world.profile, "--out", "killed.jsonl"];
      const child = spawn(process.execPath, [mainFile, ...args], {
        cwd: world.directory,
        stdio: "ignore",
      });
      await sent;
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      for (const { misbehaviour } of world.toy.managers) delete misbehaviour.beforeAnswer;
      assert.equal(JSON.parse(await ok(...args, "--json")).received, 20);
      assert.equal(world.toy.ledger.entries.length, before + 20);
    });
  });
}
