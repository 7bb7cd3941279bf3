import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { temporaryDirectory } from "../support/temporary-directory.js";

/** Runs a node that prints what happens to it and behaves as its argument says. */
const script = (module: string) => `
import { runNode } from ${JSON.stringify(module)};
const [behaviour, debug] = process.argv.slice(2);
const start = async () => {
  setInterval(() => {}, 1000);
  if (behaviour === "throws") setTimeout(() => { throw new TypeError("two\\n  lines"); }, 50);
  if (behaviour === "rejects") setTimeout(() => { Promise.reject(new Error("alone")); }, 50);
  console.log("started");
  return { close: async () => console.log("closed") };
};
await runNode("manager-1", start, { debug: debug === "debug" });
`;

describe("a node's process", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "node.mjs");
  before(() => {
    writeFileSync(file, script(new URL("../../src/cli/run-node.js", import.meta.url).href));
  });

  const run = (...args: readonly string[]) => {
    const stdio = ["ignore", "pipe", "pipe", "ipc"] as const;
    const child = spawn(process.execPath, [file, ...args], { stdio: [...stdio] });
    return { child, ended: endOf(child) };
  };

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`says when it is ready, and closes at ${signal}`, async () => {
      const { child, ended } = run();
      assert.deepEqual(await once(child, "message"), [
        { bss: "ready", id: "manager-1" },
        undefined,
      ]);
      child.kill(signal);
      assert.deepEqual(await ended, { code: 0, stdout: "started\nclosed\n", stderr: "" });
    });
  }

  test("closes when the process that started it is gone", async () => {
    const { child, ended } = run();
    await once(child, "message");
    child.disconnect();
    assert.deepEqual(await ended, { code: 0, stdout: "started\nclosed\n", stderr: "" });
  });

  test("ends with one line and exit code 1 when it meets a bug", async () => {
    const { code, stderr } = await run("throws").ended;
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^bss: TypeError: two lines at .+node\.mjs:6:\d+\)?; this is a bug: .+\n$/,
    );
  });

  test("treats a rejection that nobody handles likewise", async () => {
    const { code, stderr } = await run("rejects").ended;
    assert.equal(code, 1);
    assert.match(stderr, /^bss: Error: alone at .+; this is a bug: .+\n$/);
  });

  test("shows the stack with --debug", async () => {
    const { stderr } = await run("throws", "debug").ended;
    assert.match(stderr, /^bss: TypeError: .+\nTypeError: two\n {2}lines\n\s+at /);
  });
});

async function endOf(child: ChildProcess) {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  // Not "close": after disconnect() it never comes.
  const ends = [child.stdout, child.stderr].map((stream) => stream && once(stream, "end"));
  const [code] = await once(child, "exit");
  await Promise.all(ends);
  return { code, stdout, stderr };
}
