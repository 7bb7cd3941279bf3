import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CliError } from "../../../../src/cli/text/cli-error.js";
import { errorJson, errorMessage, exitCodeOf } from "../../../../src/cli/text/error-message.js";
import { ConfigError } from "../../../../src/config/config-error.js";
import { RpcError } from "../../../../src/rpc/rpc-error.js";
import { StoreError } from "../../../../src/store/store-error.js";

describe("errorJson", () => {
  test("has the reason and the field of an error that a node sent, also as a cause", () => {
    const sent = new RpcError("SALT_INVALID", "The salt is short.", { field: "salt" });
    const error = new CliError("refused", "correct it", { cause: sent, exitCode: 3 });
    for (const each of [sent, error]) {
      const { error: told } = errorJson(each, false) as {
        error: { reason: unknown; field: unknown };
      };
      assert.deepEqual([told.reason, told.field], ["SALT_INVALID", "salt"]);
    }
    assert.deepEqual(errorJson(new CliError("no profile", "give one"), false), {
      error: {
        message: "no profile; give one",
        exit_code: 1,
        reason: null,
        field: null,
        stack: undefined,
      },
    });
  });
});

describe("errorMessage", () => {
  test("is one line that says what happened and what to do next", () => {
    const error = new CliError("no profile", "give --profile FILE");
    assert.equal(errorMessage(error, false), "bss: no profile; give --profile FILE");
  });

  test("has one line per mistake of a config file", () => {
    const error = new ConfigError("c.yaml", [
      { line: 3, path: "a", what: "unknown key `a`", next: "did you mean `b`?" },
      { path: "", what: "no such file", next: "check the path" },
    ]);
    const expected =
      "bss: c.yaml:3: unknown key `a`; did you mean `b`?\n" +
      "bss: c.yaml: no such file; check the path";
    assert.equal(errorMessage(error, false), expected);
  });

  test("knows what to do about errors of the operating system", () => {
    const error = Object.assign(new Error("listen EADDRINUSE: 127.0.0.1:7401"), {
      code: "EADDRINUSE",
    });
    assert.match(
      errorMessage(error, false),
      /^bss: listen EADDRINUSE: 127\.0\.0\.1:7401; stop the process/,
    );
  });

  test("takes the advice that an error of another part brings", () => {
    const error = Object.assign(new Error("the store is damaged"), { next: "run bss check" });
    assert.equal(errorMessage(error, false), "bss: the store is damaged; run bss check");
  });

  test("adds nothing to what a store says, which has its advice within", () => {
    const error = new StoreError("CORRUPT", "the store is damaged: check the disk (bad block)");
    assert.equal(errorMessage(error, false), `bss: ${error.message}`);
  });

  test("keeps anything else to one line without a stack", () => {
    const error = new Error("first\n  second");
    assert.equal(
      errorMessage(error, false),
      "bss: first second; run it again with --debug to see where this comes from",
    );
    assert.match(errorMessage("text", false), /^bss: text; /);
    assert.match(errorMessage(new Error(""), false), /^bss: unknown error; /);
  });

  test("shows what a server wrote on its one line, without moving the cursor", () => {
    const said = "full\u001B[2J\nbss: all is well\u009B1A\u202E\u2028";
    for (const error of [
      new CliError(said, "wait"),
      new Error(said),
      { next: 1, toString: () => said },
    ]) {
      const text = errorMessage(error, false);
      assert.match(
        text,
        /^bss: full\uFFFD\[2J bss: all is well\uFFFD1A\uFFFD[^\p{C}\u2028\u2029]*$/u,
      );
    }
    const debug = errorMessage(new CliError(said, "wait"), true);
    assert.match(debug.replaceAll("\n", ""), /^[^\p{C}\u2028\u2029]*$/u);
  });

  test("adds stack and causes with --debug", () => {
    const cause = new TypeError("inner");
    const text = errorMessage(new CliError("outer", "wait", { cause }), true);
    assert.match(
      text,
      /^bss: outer; wait\nCliError: outer; wait\n\s+at [\s\S]*\ncaused by TypeError: inner\n\s+at /,
    );
  });

  test("the exit code is 1 unless the error names another", () => {
    assert.equal(exitCodeOf(new Error("x")), 1);
    assert.equal(exitCodeOf(new CliError("x", "y")), 1);
    assert.equal(exitCodeOf(new CliError("x", "y", { exitCode: 130 })), 130);
  });
});
