import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { temporaryDirectory } from "../../support/temporary-directory.js";

/** Runs a node that prints what happens to it and behaves as its argument says. */
const script = (module: string) => `
import { runNode } from ${JSON.stringify(module)};
const [behaviour, debug] = process.argv.slice(2);
const start = async () => {
  setInterval(() => {}, 1000);
  if (behaviour === "throws") setTimeout(() => { throw new TypeError("two\\n  lines"); }, 50);
  if (behaviour === "rejects") setTimeout(() => { Promise.reject(new Error("alone")); }, 50);
  if (behaviour === "has no descriptors") {
    const cause = Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    setTimeout(() => { throw new Error("the vote log cannot be written", { cause }); }, 50);
  }
  console.log("started");
  if (behaviour === "hangs up early") process.kill(process.pid, "SIGHUP");
  return { reload: () => console.log("reloaded"), close: async () => console.log("closed") };
};
await runNode("manager-1", start, { debug: debug === "debug" });
`;

describe("a node's process", () => {
  const directory = temporaryDirectory();
  const file = join(directory, "node.mjs");
  before(() => {
    writeFileSync(
      file,
      script(new URL("../../../src/cli/nodes/run-node.js", import.meta.url).href),
    );
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

  test("closes once, however often it is asked to", async () => {
    const { child, ended } = run();
    await once(child, "message");
    for (const signal of ["SIGTERM", "SIGINT", "SIGTERM"] as const) child.kill(signal);
    assert.deepEqual(await ended, { code: 0, stdout: "started\nclosed\n", stderr: "" });
  });

  test("reads its certificates again at SIGHUP, and goes on", async () => {
    const { child, ended } = run();
    await once(child, "message");
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += chunk;
    });
    for (const times of [1, 2]) {
      child.kill("SIGHUP");
      const isSaid = () => said.split("reloaded").length > times;
      while (!isSaid()) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill("SIGTERM");
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    assert.equal(stdout, "started\nreloaded\nreloaded\nclosed\n");
  });

  test("outlives a SIGHUP that comes while it starts", async () => {
    const { child, ended } = run("hangs up early");
    await once(child, "message");
    child.kill("SIGTERM");
    assert.equal((await ended).code, 0);
  });

  test("closes when its terminal is closed", async (t) => {
    // `script` gives it a terminal, which is gone when script is.
    const log = join(directory, "hang-up.log");
    const command = `exec ${process.execPath} ${file} > ${log}`;
    const terminal = spawn("script", ["-qc", command, "/dev/null"], { stdio: "ignore" });
    const [error] = await Promise.race([once(terminal, "spawn"), once(terminal, "error")]);
    if (error !== undefined) return t.skip("there is no `script` to make a terminal with");
    const said = () => (existsSync(log) ? readFileSync(log, "utf8") : "");
    while (said() !== "started\n") await new Promise((resolve) => setTimeout(resolve, 20));
    terminal.kill("SIGKILL");
    while (said() === "started\n") await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(said(), "started\nclosed\n");
  });

  test("goes on when its log cannot be written", async (t) => {
    if (!existsSync("/dev/full")) return t.skip("there is no full disk to write to");
    const module = new URL("../../../src/node/node-log.js", import.meta.url).href;
    const text = `
      import { openLog } from ${JSON.stringify(module)};
      const log = openLog({ role: "storage", id: "pc-7", level: "info" }, {});
      for (let i = 0; i < 20_000; i++) log.info({ i, text: "x".repeat(100) }, "said in vain");
      setTimeout(() => process.exit(7), 50);`;
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, ["--input-type=module", "-e", text], {
      stdio: ["ignore", full, "pipe"],
    });
    const { code, stderr } = await endOf(child);
    closeSync(full);
    assert.deepEqual([code, stderr], [7, ""]);
  });

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

  test("ends with advice where a limit of the system was met", async () => {
    const { code, stderr } = await run("has no descriptors").ended;
    assert.equal(code, 1);
    assert.match(stderr, /^bss: Error: the vote log cannot be written; raise the limit of open/);
    assert.doesNotMatch(stderr, /bug/);
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
