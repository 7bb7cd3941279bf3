import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Command, Help } from "commander";
import { commandGroups, nameOf } from "../../../src/cli/command-list.js";

describe("the list of commands", () => {
  for (const entry of Object.values(commandGroups).flat()) {
    test(`says of bss ${nameOf(entry)} what its file says`, async () => {
      const program = new Command("bss");
      (await entry.load()).register(program);
      const [command, ...others] = program.commands;
      assert.ok(command !== undefined && others.length === 0);
      assert.deepEqual(
        { usage: new Help().subcommandTerm(command), summary: command.summary() },
        { usage: entry.usage, summary: entry.summary },
      );
    });
  }

  test("has more than a few", () => {
    assert.ok(Object.values(commandGroups).flat().length >= 20);
  });
});
