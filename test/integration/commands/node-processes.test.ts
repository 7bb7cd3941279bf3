import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, describe, test } from "node:test";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import {
  type NodeExit,
  type NodeProcess,
  type NodeProcesses,
  type NodeProcessOptions,
  startNodes,
} from "../../../src/cli/nodes/node-processes.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

/** Behaves as `bss start` does, or as the file "behaviour" beside the node's config says. */
const fakeMain = `
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
const [verb, option, config] = process.argv.slice(2);
if (verb !== "start" || option !== "--config") process.exit(64);
const file = join(dirname(config), "behaviour");
const behaviour = existsSync(file) ? readFileSync(file, "utf8") : "";
const stop = () => {
  console.log("stopping");
  process.exit(0);
};
if (behaviour === "die") {
  console.error("bss: the disk is on fire; call the fire brigade");
  process.exit(3);
}
process.on("SIGTERM", behaviour === "deaf" ? () => {} : stop);
process.on("disconnect", stop);
console.log("started with " + process.env.FAKE_GREETING);
if (behaviour !== "mute") process.send({ bss: "ready", id: basename(dirname(config)) });
setInterval(() => {}, 1000);
`;

describe("the nodes of a directory as processes", () => {
  const parent = temporaryDirectory();
  const directory = join(parent, "consortium");
  const mainFile = join(parent, "fake-main.mjs");
  const behaviourFile = join(directory, "managers", "manager-2", "behaviour");
  const logOf = (id: string) => readFileSync(join(directory, "logs", `${id}.log`), "utf8");
  let processes: NodeProcesses | undefined;

  const start = async (options: NodeProcessOptions = {}) => {
    const env = { FAKE_GREETING: "hello" };
    // A busy machine takes its time to end many processes.
    processes = await startNodes(directory, { mainFile, env, stopTimeoutMs: 120_000, ...options });
    return processes;
  };

  before(async () => {
    const counts = { managers: 3, storage: 10, participants: 0 };
    await initConsortium(directory, { name: "demo", basePort: 7400, ...counts });
    writeFileSync(mainFile, fakeMain);
  });

  afterEach(async () => {
    await processes?.stop();
    processes = undefined;
    rmSync(behaviourFile, { force: true });
    rmSync(join(directory, "logs"), { recursive: true, force: true });
  });

  test("start all, each in its own process, and stop all cleanly", async () => {
    const { nodes, stop } = await start();
    const ids = nodes.map(({ id }) => id);
    assert.deepEqual(ids.slice(0, 4), ["manager-1", "manager-2", "manager-3", "storage-1"]);
    assert.equal(ids.at(-1), "storage-10");
    assert.equal(new Set(nodes.map(({ pid }) => pid)).size, 13);
    assert(nodes.every(({ running }) => running));
    assert.equal(nodes[3]?.role, "storage");
    const stopped = await stop();
    const exit = { code: 0, signal: null };
    assert.deepEqual(
      stopped,
      ids.map((id) => ({ id, exit, killed: false })),
    );
    assert(nodes.every(({ pid }) => !isAlive(pid)));
    assert.equal(logOf("storage-10"), "started with hello\nstopping\n");
    assert.deepEqual(await stop(), stopped, "stopping again changes nothing");
  });

  test("start only those that are named", async () => {
    const { nodes, node } = await start({ only: ["storage-2", "manager-1"] });
    assert.deepEqual(
      nodes.map(({ id }) => id),
      ["storage-2", "manager-1"],
    );
    assert.equal(node("manager-1").config.listen.port, 7401);
    assert.throws(() => node("manager-2"), /there is no node `manager-2`/);
    await assert.rejects(start({ only: ["manager-9"] }), {
      name: "CliError",
      message: /^there is no node `manager-9`; use one of manager-1, manager-2, /,
    });
  });

  test("a node that ends too early is named with its last words, others are stopped", async () => {
    writeFileSync(behaviourFile, "die");
    await assert.rejects(start(), {
      name: "CliError",
      what:
        "manager-2 ended before it was ready (exit code 3): " +
        "the disk is on fire; call the fire brigade",
      next: `its log is ${join(directory, "logs", "manager-2.log")}`,
    });
    assert.match(logOf("storage-10"), /^(started with hello\nstopping\n)?$/);
  });

  test("a node that never gets ready is given up after the timeout", async () => {
    writeFileSync(behaviourFile, "mute");
    mkdirSync(join(directory, "logs"));
    writeFileSync(join(directory, "logs", "manager-2.log"), "of the last run\n");
    // On a busy machine the node may have said nothing by then.
    await assert.rejects(start({ only: ["manager-2"], readyTimeoutMs: 700 }), {
      message:
        /^manager-2 was not ready within 0\.7 s: (of the last run|started with hello); its log is /,
    });
    assert.match(logOf("manager-2"), /^of the last run\n(started with hello\nstopping\n)?$/);
  });

  test("starting can be given up", async () => {
    writeFileSync(behaviourFile, "mute");
    const abort = new AbortController();
    const starting = start({ only: ["manager-2", "manager-1"], signal: abort.signal });
    abort.abort();
    await assert.rejects(starting, { name: "CliError", exitCode: 130 });
  });

  test("a killed node is reported, the others go on, and it can be started again", async () => {
    const ended: [string, NodeExit][] = [];
    const onExit = (node: NodeProcess, exit: NodeExit) => void ended.push([node.id, exit]);
    const { node, nodes, stop } = await start({ only: ["manager-1", "manager-2"], onExit });
    const victim = node("manager-2");
    const { pid } = victim;
    assert.throws(() => victim.restart(), /manager-2 is still running/);
    assert(victim.kill("SIGKILL"));
    assert.deepEqual(await victim.exited, { code: null, signal: "SIGKILL" });
    assert.deepEqual(ended, [["manager-2", { code: null, signal: "SIGKILL" }]]);
    assert.deepEqual(
      nodes.map(({ running }) => running),
      [true, false],
    );
    assert.equal(victim.kill("SIGTERM"), false);

    await victim.restart();
    assert(victim.running);
    assert.notEqual(victim.pid, pid);
    assert.deepEqual(
      (await stop()).map(({ exit }) => exit.code),
      [0, 0],
    );
    assert.equal(ended.length, 1, "an end that was asked for is not reported");
    assert.equal(logOf("manager-2"), "started with hello\nstarted with hello\nstopping\n");
  });

  test("a node that does not listen to SIGTERM is killed", async () => {
    writeFileSync(behaviourFile, "deaf");
    const { stop } = await start({ only: ["manager-2"], stopTimeoutMs: 300 });
    const exit = { code: null, signal: "SIGKILL" };
    assert.deepEqual(await stop(), [{ id: "manager-2", exit, killed: true }]);
  });

  test("a paused node is woken up to stop", async () => {
    const { node, stop } = await start({ only: ["manager-1"] });
    node("manager-1").kill("SIGSTOP");
    const [stopped] = await stop();
    assert.deepEqual(stopped?.exit, { code: 0, signal: null });
  });

  test("nodes end when the process that started them is killed", async (t) => {
    const supervisor = join(parent, "supervisor.mjs");
    const module = new URL("../../../src/cli/nodes/node-processes.js", import.meta.url).href;
    writeFileSync(
      supervisor,
      `import { startNodes } from ${JSON.stringify(module)};
       const [directory, mainFile] = process.argv.slice(2);
       const only = ["manager-1", "storage-1"];
       const { nodes } = await startNodes(directory, { mainFile, only });
       console.log(nodes.map(({ pid }) => pid).join(" "));`,
    );
    const child = spawn(process.execPath, [supervisor, directory, mainFile], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const [output] = await once(child.stdout, "data");
    const pids = String(output).trim().split(" ").map(Number);
    assert.equal(pids.filter(isAlive).length, 2);
    child.kill("SIGKILL");
    // Their numbers stay in use where nobody collects orphans, as in many containers.
    const hasEnded = (id: string) => logOf(id).endsWith("\nstopping\n");
    while (!["manager-1", "storage-1"].every(hasEnded)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  test("a directory without nodes says how to get some", async () => {
    await assert.rejects(startNodes(parent), {
      message: `${parent} holds no nodes; give a directory that 'bss init' made`,
    });
  });

  test("a config with a mistake starts nothing", async () => {
    const file = join(directory, "storage", "storage-3", "config.yaml");
    const content = readFileSync(file, "utf8");
    appendFileSync(file, "colour: red\n");
    await assert.rejects(start(), { name: "ConfigError", message: /unknown key `colour`/ });
    writeFileSync(file, content);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
