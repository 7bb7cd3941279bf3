import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { Command } from "commander";
import { commandGroups } from "../../../src/cli/command-list.js";
import { completionScript } from "../../../src/cli/completion.js";

describe("the completion of a shell", () => {
  for (const [line, word, expected] of [
    ["bss", "sub", ["submit"]],
    ["bss", "--js", ["--json"]],
    ["bss storage", "li", ["list"]],
    ["bss --json storage list", "--prof", ["--profile"]],
    ["bss init --dir x", "--sto", ["--storage"]],
    ["bss completion", "z", ["zsh"]],
    ["bss submit", "nothing-like-it", []],
  ] as const) {
    test(`offers ${expected.join(" ") || "nothing"} after "${line} ${word}"`, async () => {
      const words = [...line.split(" "), word];
      const quoted = words.map((each) => `'${each}'`).join(" ");
      const ask = `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _bss`;
      const script = `${await scriptFor("bash")}\n${ask}\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
      const answer = execFileSync("bash", ["-c", script], { encoding: "utf8" });
      assert.deepEqual(answer.split("\n").filter(Boolean), expected);
    });
  }

  test("has each command for fish as well", async () => {
    const script = await scriptFor("fish");
    assert.match(script, /-n '__fish_use_subcommand' -a 'init devnet /);
    assert.match(script, /from storage; and __fish_seen_subcommand_from list' -a '--/);
  });
});

function scriptFor(shell: "bash" | "fish"): Promise<string> {
  const program = new Command("bss").option("--json").option("--debug");
  return completionScript(program, Object.values(commandGroups).flat(), shell);
}
