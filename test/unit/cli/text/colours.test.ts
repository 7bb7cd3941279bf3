import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { CliError } from "../../../../src/cli/text/cli-error.js";
import {
  forbidColours,
  hasColours,
  painted,
  tinted,
  tintedMessage,
} from "../../../../src/cli/text/colours.js";
import { tintedError } from "../../../../src/cli/text/error-message.js";
import { table } from "../../../../src/cli/text/output.js";
import { tintOfState } from "../../../../src/cli/text/status-words.js";

const terminal = { isTTY: true } as NodeJS.WriteStream;
const pipe = {} as NodeJS.WriteStream;

describe("colours", () => {
  afterEach(() => forbidColours(false));

  for (const [env, onTerminal, onPipe] of [
    [{}, true, false],
    [{ NO_COLOR: "1" }, false, false],
    [{ NO_COLOR: "" }, true, false],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, false, false],
    [{ FORCE_COLOR: "1" }, true, true],
    [{ FORCE_COLOR: "" }, true, true],
    [{ FORCE_COLOR: "0" }, false, false],
    [{ CLICOLOR: "0" }, false, false],
    [{ CLICOLOR: "1" }, true, false],
    [{ CLICOLOR_FORCE: "1" }, true, true],
    [{ CLICOLOR_FORCE: "0" }, true, false],
    [{ TERM: "dumb" }, false, false],
  ] as const) {
    test(`are there as ${JSON.stringify(env)} asks for`, () => {
      assert.deepEqual([hasColours(terminal, env), hasColours(pipe, env)], [onTerminal, onPipe]);
    });
  }

  test("are not there with --no-color or --json, whatever else is asked for", () => {
    forbidColours(true);
    assert.equal(hasColours(terminal, { FORCE_COLOR: "1" }), false);
  });

  test("take the place of marks, which say nothing else", () => {
    const { NO_COLOR, FORCE_COLOR } = process.env;
    try {
      delete process.env.NO_COLOR;
      process.env.FORCE_COLOR = "1";
      const text = `${tintedMessage("bss: no", "bad")} ${tinted("good", "ok")}${tinted(undefined, "!")}`;
      assert.equal(painted(text, pipe), "\u001B[31mbss:\u001B[0m no \u001B[32mok\u001B[0m!");
      process.env.FORCE_COLOR = "0";
      assert.equal(painted(text, pipe), "bss: no ok!");
    } finally {
      restore("NO_COLOR", NO_COLOR);
      restore("FORCE_COLOR", FORCE_COLOR);
    }
  });

  test("show what an error is about apart from its advice", () => {
    const error = new CliError("the disk is full", "free some space");
    const text = tintedError(error, "bss: the disk is full; free some space\n    at x");
    const advice = tinted("dim", "free some space");
    assert.equal(text, `${tinted("bad", "bss:")} the disk is full; ${advice}\n    at x`);
    assert.equal(tintedError(new Error("no"), "bss: no"), `${tinted("bad", "bss:")} no`);
  });

  test("show nodes that do not go on", () => {
    for (const [doing, tint] of [
      ["idle", undefined],
      ["in step", undefined],
      ["halted", "bad"],
      ["suspended, no answer", "bad"],
      ["suspended, idle", "warn"],
      ["waits (approve, 3)", "warn"],
      ["catching up", "warn"],
    ] as const) {
      assert.equal(tintOfState(doing), tint, doing);
    }
  });

  test("do not move the columns of a table, and come of no cell", () => {
    const columns = [
      { title: "NAME" },
      {
        title: "STATE",
        tint: (text: string) => (text === "halted" ? ("bad" as const) : undefined),
      },
      { title: "X" },
    ];
    const rows = [
      ["\uE001a", "halted", "1"],
      ["b", "waits for it", "2"],
    ];
    assert.deepEqual(painted(table(columns, rows), pipe).split("\n"), [
      "NAME  STATE         X",
      "\uFFFDa    halted        1",
      "b     waits for it  2",
    ]);
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
