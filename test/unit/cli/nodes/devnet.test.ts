import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lockDevnet } from "../../../../src/cli/nodes/devnet.js";
import { acquireLock } from "../../../../src/cli/process-lock.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

describe("the lock of a devnet's directory", () => {
  const directory = temporaryDirectory();

  test("names the process that runs the nodes, and leaves nothing behind", async () => {
    const held = await lockDevnet(directory);
    await assert.rejects(lockDevnet(directory), {
      name: "CliError",
      message: new RegExp(
        `another 'bss devnet' runs the nodes of .+ \\(process ${process.pid}, since `,
      ),
    });
    held.release();
    (await lockDevnet(directory)).release();
    assert.deepEqual(readdirSync(directory), []);
  });

  test("is a lock of the directory's own", async () => {
    const other = await acquireLock(join(directory, "receipts.jsonl"));
    assert.ok(other.ok);
    (await lockDevnet(directory)).release();
    other.value.release();
  });
});
