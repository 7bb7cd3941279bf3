import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer as createNetServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { portOffsets } from "../../../src/cli/init/defaults.js";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import { BssProcess, mainFile } from "../../support/bss.js";
import { freeBasePort } from "../../support/free-ports.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("the command bss", () => {
  const directory = temporaryDirectory();
  const bss = (args: readonly string[], script = mainFile) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: directory,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  test("init prints a summary for people or JSON for machines, and nothing else", () => {
    const people = bss(["init", "--dir", "a", "--managers", "1", "--storage", "2"]);
    assert.equal(people.stderr, "");
    assert.equal(people.status, 0);
    assert.match(people.stdout, /^storage nodes +2$/m);
    const machines = bss(["init", "--dir", "b", "--storage", "1", "--json"]);
    assert.equal(machines.status, 0);
    const summary = JSON.parse(machines.stdout);
    assert.match(summary.consortium_id, /^[0-9a-f]{64}$/);
    assert.equal(summary.managers.length, 4);
    assert.equal(summary.directory, join(directory, "b"));
  });

  const commands = new BssProcess(directory);
  after(() => commands.close());
  const failures: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    [
      "an existing directory",
      ["init", "--dir", "."],
      1,
      /^bss: .* exists already, and nothing is overwritten; .+\n$/,
    ],
    [
      "a missing option",
      ["init"],
      2,
      /^bss: required option '-d, --dir <directory>' not specified; 'bss init --help' lists .+\n$/,
    ],
    [
      "an unknown option",
      ["init", "-d", "x", "--stroage", "1"],
      2,
      /^bss: unknown option '--stroage' \(Did you mean --storage\?\); .+\n$/,
    ],
    [
      "an unknown command",
      ["initt"],
      2,
      /^bss: unknown command 'initt' \(Did you mean init\?\); .+\n$/,
    ],
    [
      "the help of an unknown command",
      ["initt", "--help"],
      2,
      /^bss: unknown command 'initt'; .+\n$/,
    ],
    [
      "the help of an unknown command of a group",
      ["storage", "lst", "--help"],
      2,
      /^bss: unknown command 'lst'; 'bss storage --help' lists its commands\n$/,
    ],
    [
      "a group without a command, for programs",
      ["fork", "--json"],
      2,
      /^\{"error":\{"message":"a command is missing; 'bss fork --help' .+","exit_code":2,.+\}\}\n$/,
    ],
    [
      "an error for programs",
      ["start", "--config", "none.yaml", "--json"],
      1,
      /^\{"error":\{"message":"none\.yaml: .+","exit_code":1,"reason":null,"field":null\}\}\n$/,
    ],
    [
      "a number that is none",
      ["init", "-d", "x", "--storage", "many"],
      2,
      /^bss: option '--storage <n>' argument 'many' is invalid\. .+\n$/,
    ],
    [
      "a config that does not exist",
      ["start", "--config", "none.yaml"],
      1,
      /^bss: none\.yaml: no such file; .+\n$/,
    ],
    [
      "a directory without nodes",
      ["devnet", "--dir", "empty"],
      1,
      /^bss: .+ holds no nodes; give a directory that 'bss init' made\n$/,
    ],
  ];
  for (const [title, args, code, message] of failures) {
    test(`${title} is one line that says what to do, and exit code ${code}`, async () => {
      mkdirSync(join(directory, "empty"), { recursive: true });
      const ran = await commands.run(...args);
      assert.match(ran.err, message);
      assert.equal(ran.code, code);
      assert.equal(ran.out, "");
    });
  }

  test("too few descriptors are told before anything is opened, and help needs none", (t) => {
    if (process.platform !== "linux") return t.skip("other systems do not tell their limit fast");
    const run = (limit: number, ...args: readonly string[]) =>
      spawnSync(
        "bash",
        ["-c", `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, mainFile, ...args],
        { cwd: directory, encoding: "utf8" },
      );
    const { status, stderr, stdout } = run(40, "init", "--dir", "starved");
    const what = "the process may open only 40 files and connections; at least 64 are needed";
    assert.match(stderr, new RegExp(`^bss: ${what}; raise it: LimitNOFILE=65536 .+\\n$`));
    assert.equal(stdout, "");
    assert.equal(status, 1);
    assert.ok(!existsSync(join(directory, "starved")));
    assert.match(JSON.parse(run(40, "status", "--json").stderr).error.message, /may open only 40/);
    assert.equal(run(40, "status", "--help").status, 0);
  });

  describe("a file that does not take all of the output", () => {
    const toFile = (redirected: string) => {
      const { status, stderr } = spawnSync("bash", ["-c", redirected, process.execPath, mainFile], {
        cwd: directory,
        encoding: "utf8",
      });
      return { status, stderr };
    };

    test("is told where a limit or a full disk cuts a result short", () => {
      const { status, stderr } = toFile(`ulimit -f 1; "$0" "$1" completion bash > short`);
      assert.match(stderr, /^bss: the output cannot be written: EFBIG.+; raise the limit .+\n$/);
      assert.equal(status, 1);
    });

    test("is told on a disk that takes nothing, for programs too", (t) => {
      if (!existsSync("/dev/full")) return t.skip("there is no full disk to write to");
      const { status, stderr } = toFile(`"$0" "$1" completion bash --json > /dev/full`);
      assert.match(
        JSON.parse(stderr).error.message,
        /cannot be written: ENOSPC.+; free some space/,
      );
      assert.equal(status, 1);
    });

    test("changes nothing where only notes are lost", (t) => {
      if (!existsSync("/dev/full")) return t.skip("there is no full disk to write to");
      assert.equal(toFile(`"$0" "$1" initt 2> /dev/full`).status, 2);
    });
  });

  test("commands end where a machine takes the connection and says nothing", async () => {
    const mute = createNetServer(() => {}).listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const dir = join(directory, "mute");
    await initConsortium(dir, {
      name: "mute",
      basePort: port - 1,
      managers: 1,
      storage: 1,
      participants: 1,
    });
    const profile = join(dir, "participants", "participant-1", "profile.yaml");
    writeFileSync(join(directory, "mute.csv"), "meter,start\n");
    const interrupted = spawn(
      process.execPath,
      [mainFile, "submit", "mute.csv", "-p", profile, "--out", "mute.jsonl"],
      { cwd: directory },
    );
    let note = "";
    interrupted.stderr.on("data", (chunk) => {
      note += chunk;
    });
    const child = spawn(process.execPath, [mainFile, "status", "-p", profile]);
    // Signals end it in this way from where its lock is laid down.
    while (!readdirSync(directory).some((name) => name.startsWith("mute.jsonl.lock."))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    interrupted.kill("SIGINT");
    const [interruptedCode] = await once(interrupted, "close");
    assert.equal(interruptedCode, 130);
    assert.match(note, /^bss: stopped before anything was sent; .+\n$/);
    const timer = setTimeout(() => child.kill(), 180_000);
    let err = "";
    child.stderr.on("data", (chunk) => {
      err += chunk;
    });
    const [code] = await once(child, "close");
    clearTimeout(timer);
    mute.close();
    assert.equal(code, 1, "ended by itself");
    assert.match(err, /manager-1 at 127\.0\.0\.1:\d+: no answer for \d+ s\); check the machine/);
  });

  test("a node that cannot start says so in its log as well, as JSON", async () => {
    const dir = join(directory, "broken");
    await initConsortium(dir, {
      name: "broken",
      basePort: 7400,
      managers: 1,
      storage: 1,
      participants: 0,
    });
    rmSync(join(dir, "managers", "manager-1", "epoch-0.wrap"));
    const config = join(dir, "managers", "manager-1", "config.yaml");
    const { status, stdout, stderr } = bss(["start", "--config", config]);
    assert.equal(status, 1);
    assert.match(stderr, /^bss: .+epoch-0\.wrap: no such file; .+\n$/);
    const { level, id, reason, msg } = JSON.parse(stdout);
    assert.deepEqual([level, id, msg], [60, "manager-1", "the node cannot start"]);
    assert.match(reason, /epoch-0\.wrap: no such file/);
  });

  describe("a port that another process has", () => {
    const dir = join(directory, "crowded");
    const manager = join(dir, "managers", "manager-1");
    const nodes = { managers: manager, storage: join(dir, "storage", "storage-1") } as const;
    let basePort = 0;
    before(async () => {
      basePort = await freeBasePort(1);
      const counts = { managers: 1, storage: 1, participants: 0 };
      await initConsortium(dir, { name: "crowded", basePort, ...counts });
    });

    for (const [role, setting, offset] of [
      ["managers", "listen", portOffsets.manager],
      ["managers", "metrics", portOffsets.managerMetrics],
      ["storage", "listen", portOffsets.storage],
      ["storage", "metrics", portOffsets.storageMetrics],
    ] as const) {
      test(`as \`${setting}\` of ${role} stops a node before it opens its store`, async () => {
        const port = basePort + offset + 1;
        const server = createNetServer().listen(port, "127.0.0.1");
        await once(server, "listening");
        const { status, stderr } = bss(["start", "--config", join(nodes[role], "config.yaml")]);
        const devnet = bss(["devnet", "--dir", dir]);
        server.close();
        assert.equal(status, 1);
        const next = `stop that process (this node, if it runs already), or change \`${setting}\``;
        const what = `bss: another process listens on 127.0.0.1:${port}; ${next} in config.yaml\n`;
        assert.equal(stderr, what);
        assert.deepEqual(readdirSync(join(nodes[role], "data")), []);
        assert.ok(!existsSync(join(manager, "signing.key.state")));
        assert.equal(devnet.status, 1);
        const named = new RegExp(
          `^bss: some nodes cannot listen: \\S+-1 \\(another process listens on .*:${port}\\); stop .+\n$`,
        );
        assert.match(devnet.stderr, named);
        assert.ok(!existsSync(join(dir, "logs")), "no node was started");
      });
    }
  });

  test("a stack is there with --debug only", () => {
    assert.match(bss(["--debug", "init", "--dir", "."]).stderr, /\n\s+at .+new-tree/);
    assert.match(bss(["init", "--dir", ".", "--debug"]).stderr, /\n\s+at .+new-tree/);
  });

  test("help is asked for with exit code 0, and given unasked with 2", () => {
    assert.equal(bss(["--help"]).status, 0);
    assert.match(bss(["init", "--help"]).stdout, /Global Options:\n[\s\S]*--json/);
    assert.equal(bss([]).status, 2);
    assert.match(bss(["--version"]).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  test("runs through a link, as npm installs it", () => {
    const link = join(directory, "bss-link.js");
    if (!existsSync(link)) symlinkSync(mainFile, link);
    assert.equal(bss(["--version"], link).status, 0);
  });
});
