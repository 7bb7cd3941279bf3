/** However `bss devnet` is ended, it stops its nodes in order and leaves no lock behind. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import { mainFile } from "../../support/bss.js";
import { freeBasePort } from "../../support/free-ports.js";
import { poll, suiteTimeoutMs } from "../../support/live-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("bss devnet", { timeout: suiteTimeoutMs }, () => {
  const parent = temporaryDirectory();
  const directory = join(parent, "consortium");
  const logOf = (id: string) => {
    const file = join(directory, "logs", `${id}.log`);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };

  before(async () => {
    const counts = { managers: 1, storage: 1, participants: 0 };
    // That nobody reads the table is seen when it changes, which every empty block does.
    const policyFile = join(parent, "policy.yaml");
    writeFileSync(policyFile, "heartbeat_ms: 500\n");
    const basePort = await freeBasePort(1);
    await initConsortium(directory, { name: "demo", basePort, policyFile, ...counts });
  });

  const start = async () => {
    rmSync(join(directory, "logs"), { recursive: true, force: true });
    const child = spawn(process.execPath, [mainFile, "devnet", "--dir", directory], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said: string[] = [];
    child.stdout.on("data", (chunk) => said.push(String(chunk)));
    child.stderr.on("data", (chunk) => said.push(String(chunk)));
    const runs = async () =>
      said.join("").includes("all 2 nodes are connected") ? true : undefined;
    await poll(runs, () => `the table of the nodes: ${said.join("")}`);
    return child;
  };

  for (const [how, end] of [
    ["SIGTERM", (child) => child.kill("SIGTERM")],
    ["SIGHUP, as when its terminal is closed", (child) => child.kill("SIGHUP")],
    ["a reader of its table that goes away", (child) => child.stdout?.destroy()],
    [
      "a reader of its notes and table that goes away",
      (child) => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      },
    ],
  ] as readonly (readonly [string, (child: ReturnType<typeof spawn>) => void])[]) {
    test(`ends cleanly by ${how}`, async () => {
      const child = await start();
      const exited = once(child, "exit");
      end(child);
      assert.deepEqual(await exited, [0, null]);
      assert.ok(!existsSync(join(directory, "devnet.pid")));
      for (const id of ["manager-1", "storage-1"]) assert.doesNotMatch(logOf(id), /^bss: /m);
    });
  }
});
