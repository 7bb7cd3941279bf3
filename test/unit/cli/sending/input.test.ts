import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { findInput } from "../../../../src/cli/sending/input.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

describe("a stream that is to be kept until it is sent", () => {
  const directory = temporaryDirectory();
  const { TMPDIR } = process.env;
  after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });

  test("names the place that cannot take it", async () => {
    const fifo = join(directory, "fifo");
    execFileSync("mkfifo", [fifo]);
    process.env.TMPDIR = join(directory, "none");
    await assert.rejects(findInput(fifo).open(new AbortController().signal), {
      name: "CliError",
      message: /fifo cannot be kept in .+none until it is sent: ENOENT.+directory in TMPDIR$/,
    });
  });
});
