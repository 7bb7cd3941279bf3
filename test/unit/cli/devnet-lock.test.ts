import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lockDevnet } from "../../../src/cli/devnet-lock.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("the lock of a devnet's directory", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "devnet.pid");

  test("is gone when it is released", () => {
    lockDevnet(directory).release();
    assert.ok(!existsSync(file));
  });

  test("names the process that runs the nodes, and is free once that has ended", async (t) => {
    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)", "devnet"]);
    t.after(() => other.kill("SIGKILL"));
    await once(other, "spawn");
    writeFileSync(file, `${other.pid}\n`);
    assert.throws(() => lockDevnet(directory), {
      name: "CliError",
      message: new RegExp(`another 'bss devnet' runs the nodes of .+ \\(process ${other.pid}\\)`),
    });
    other.kill();
    await once(other, "exit");
    lockDevnet(directory).release();
  });

  for (const left of ["", "abc", "-1", "0", "999999999"]) {
    test(`is taken over where a crash left ${JSON.stringify(left)} behind`, () => {
      writeFileSync(file, left);
      lockDevnet(directory).release();
    });
  }
});
