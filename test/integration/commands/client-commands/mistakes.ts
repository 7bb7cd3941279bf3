import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import type { CommandWorld } from "./command-world.js";

export function testMistakes(world: CommandWorld): void {
  const { bss, ok, path, readings } = world;

  describe("a mistake", () => {
    before(async () => {
      writeFileSync(path("ev.csv"), "station,start,end,energy_wh\n");
      readings("one.csv", 1, 9100);
      await ok("submit", "one.csv", "-p", world.profile, "--out", "one.jsonl");
    });

    const mistakes: readonly (readonly [string, readonly string[], number, RegExp])[] = [
      ["no profile", ["get", "00".repeat(32)], 1, /needs a profile.*; give --profile/],
      ["a hash that is none", ["get", "xyz"], 2, /64 hex digits/],
      ["a file that is not there", ["submit", "absent.csv"], 1, /absent\.csv.*; check the path/],
      ["a kind that is none", ["submit", "a.csv", "--kind", "meters"], 2, /Allowed choices/],
      ["an unknown record", ["get", "00".repeat(32)], 1, /\[RECORD_UNKNOWN\]; check the hash/],
      ["a pair that is none", ["submit", "a.csv", "--set", "owner"], 2, /field=value/],
      ["its own output", ["submit", "ev.csv", "--out", "ev.csv"], 1, /--out names the file/],
      [
        "no receipt",
        ["verify", "ev.csv", "--genesis", "toy/genesis.json"],
        1,
        /ev\.csv: This text is no receipt/,
      ],
      ["an empty range", ["list", "--from", "2024-07-02", "--to", "2024-07-01"], 2, /is not after/],
      ["a date as digits", ["list", "--from", "20240701"], 2, /8 digits look like a date/],
      [
        "a column twice",
        ["submit", "a.csv", "--column", "a=start", "--column", "a=end"],
        2,
        /once/,
      ],
      ["a field set twice", ["submit", "a.csv", "--set", "a=1", "--set", "a=2"], 2, /Give a once/],
      ["a zone that is none", ["submit", "a.csv", "--zone", "Berlin"], 2, /such as Europe\/Berlin/],
      ["no delimiter", ["submit", "a.csv", "--delimiter", ""], 2, /one character/],
      ["no genesis", ["verify", "one.jsonl", "--genesis", "ev.csv"], 1, /not a valid genesis file/],
    ];
    for (const [title, args, code, message] of mistakes) {
      test(`${title} is told in one line that says what to do next`, async () => {
        const withProfile = ["no profile"].includes(title) || args[0] === "verify";
        const result = await bss(...args, ...(withProfile ? [] : ["-p", world.profile]));
        assert.equal(result.code, code, result.err);
        assert.match(result.err, message);
        assert.match(result.err, /^bss: [^\n]+; [^\n]+\n$/);
        assert.equal(result.out, "");
      });
    }

    test("a role that may not submit is told so, and nothing is written", async () => {
      readings("auditor.csv", 1, 9000);
      const auditor = world.toy.profileFile("auditor-1", "auditors");
      const { code, err } = await bss("submit", "auditor.csv", "-p", auditor);
      assert.equal(code, 1);
      assert.match(err, /only participants can submit, and auditor-1 has the role auditor; use /);
      assert.ok(!existsSync(path("auditor.csv.receipts.jsonl.journal")));
      rmSync(path("auditor.csv"));
    });

    test("managers that are all gone are named, each with its reason", async () => {
      for (const manager of world.toy.managers) await manager.stop();
      const { code, err } = await bss(
        "submit",
        "ev.csv",
        "-p",
        world.profile,
        "--out",
        "gone.jsonl",
      );
      for (const manager of world.toy.managers) await manager.start();
      assert.equal(code, 1);
      for (const { address } of world.toy.managers) assert.match(err, new RegExp(address));
      assert.match(err, /check that the managers run/);
      assert.ok(!existsSync(path("gone.jsonl")));
    });
  });
}
