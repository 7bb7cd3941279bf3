import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { before, describe, test } from "node:test";
import { mainFile } from "../../../support/bss.js";
import { toyPageMax } from "../../../support/toy-consortium.js";
import type { CommandWorld } from "./command-world.js";

export function testViews(world: CommandWorld): void {
  const { bss, ok, readings } = world;

  describe("what shows the ledger and its nodes", () => {
    before(async () => {
      readings("listed.csv", 2 * toyPageMax, 5000);
      await ok("submit", "listed.csv", "-p", world.profile);
    });

    test("list goes over pages and stops at its limit", async () => {
      const args = ["list", "--meter", "meter-1", "-p", world.profile];
      const limited = await bss(...args, "--limit", "4", "--json");
      assert.equal(limited.out.trim().split("\n").length, 4);
      assert.match(limited.err, /more records than 4; --limit shows more/);
      const some = await ok(...args, "--limit", String(toyPageMax + 10));
      assert.ok(some.trim().split("\n").length >= toyPageMax + 10);
      assert.match(some, /meter-1: 5 Wh imported, 0 Wh exported/);
      const both = await bss(...args, "--participant", "participant-1");
      assert.equal(both.code, 2);
    });

    test("status sets the nodes side by side, and fails when one is silent", async () => {
      const rows = (await ok("status", "-p", world.profile, "--json")).trim().split("\n");
      const answers = rows.map((row) => JSON.parse(row));
      assert.deepEqual(
        answers.map(({ node_id }) => node_id),
        ["manager-1", "manager-2", "manager-3", "manager-4"],
      );
      assert.equal(new Set(answers.map(({ root }) => root)).size, 1);
      await world.toy.manager(2).stop();
      const { code, out, err } = await bss("status", "-p", world.profile);
      await world.toy.manager(2).start();
      assert.equal(code, 1);
      assert.match(out, /manager-2 .* idle/);
      assert.match(out, /no answer/);
      assert.match(err, /1 of 4 nodes do not answer/);
    });

    test("blocks shows the last ones, or follows", async () => {
      const last = await ok("blocks", "-p", world.profile, "--limit", "2", "--json");
      const heights = last
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).height);
      assert.deepEqual(heights, [world.toy.ledger.height - 1, world.toy.ledger.height]);
      const child = spawn(
        process.execPath,
        [
          mainFile,
          "blocks",
          "--follow",
          "--from",
          String(world.toy.ledger.height),
          "-p",
          world.profile,
          "--json",
        ],
        { cwd: world.directory },
      );
      const seen: number[] = [];
      let buffered = "";
      for await (const chunk of child.stdout) {
        buffered += chunk;
        const lines = buffered.split("\n");
        buffered = lines.pop() ?? "";
        for (const line of lines) {
          seen.push(JSON.parse(line).height);
          if (seen.length < 3) world.toy.ledger.append([Uint8Array.of(250, seen.length)]);
        }
        if (seen.length === 3) child.kill("SIGTERM");
      }
      const first = world.toy.ledger.height - 2;
      assert.deepEqual(seen, [first, first + 1, first + 2]);
    });

    test("storage list and consortium show who takes part", async () => {
      const nodes = await ok("storage", "list", "-p", world.profile);
      assert.match(nodes, /storage-2 +active +yes +100/);
      const consortium = JSON.parse(await ok("consortium", "-p", world.profile, "--json"));
      assert.equal(consortium.managers.length, 4);
      assert.equal(consortium.policy.delivery_interval_s, 3600);
      assert.match(await ok("consortium", "-p", world.profile), /records in a submission +1000/);
    });
  });
}
