import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { initConsortium } from "../../../src/cli/init/init-consortium.js";
import { startNodes } from "../../../src/cli/nodes/node-processes.js";
import { compiledMainFile } from "../../support/bss.js";
import { freeBasePort } from "../../support/free-ports.js";
import { repositoryRoot } from "../../support/tree.js";

const run = (file: string, ...args: readonly string[]) =>
  spawnSync(process.execPath, [file, ...args], { encoding: "utf8" });

describe("the bundle", () => {
  const root = repositoryRoot();
  mkdirSync(join(root, ".build"), { recursive: true });
  const bundle = mkdtempSync(join(root, ".build", "bundle-"));
  const directory = mkdtempSync(join(tmpdir(), "bss-bundle-"));
  const bss = join(bundle, "bss.js");
  before(() => {
    const { status, stderr } = run(join(root, "scripts/bundle.mjs"), bundle);
    assert.equal(`${status} ${stderr}`, "0 ");
  });
  after(() => {
    for (const path of [bundle, directory]) rmSync(path, { recursive: true });
  });

  test("says what the compiled files say", () => {
    for (const args of [["--help"], ["submit", "--help"], ["register", "storage", "--help"]]) {
      const [bundled, compiled] = [run(bss, ...args), run(compiledMainFile, ...args)];
      assert.equal(bundled.stdout, compiled.stdout);
      assert.equal(`${bundled.status} ${bundled.stderr}`, "0 ");
    }
  });

  test("names lines of the sources in stacks", () => {
    const { stderr } = run(bss, "start", "--config", join(directory, "missing.yaml"), "--debug");
    assert.match(stderr, /at readYamlFile \(src\/config\/yaml-file\.ts:\d+:\d+\)/);
    assert.doesNotMatch(stderr, /program\.js/);
  });

  test("runs a manager and a storage node with their threads, and the tools beside them", async () => {
    const consortium = join(directory, "consortium");
    await initConsortium(consortium, {
      name: "bundled",
      basePort: await freeBasePort(4),
      managers: 4,
      storage: 4,
      participants: 1,
    });
    const only = ["manager-1", "storage-1"];
    const { stop } = await startNodes(consortium, { only, mainFile: bss });
    const profile = join(consortium, "participants/participant-1/profile.yaml");
    const { stdout } = run(bss, "status", "--profile", profile, "--json");
    const stopped = await stop();
    assert.match(stdout, /manager-1/);
    assert.deepEqual(
      stopped.map(({ exit, killed }) => ({ ...exit, killed })),
      only.map(() => ({ code: 0, signal: null, killed: false })),
    );
    const config = join(consortium, "managers/manager-1/config.yaml");
    const checked = run(bss, "check", "--config", config);
    assert.equal(`${checked.status} ${checked.stderr}`, "0 ");
  });
});
