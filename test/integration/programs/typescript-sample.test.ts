/** Runs the program of docs/integrators.md as it stands there. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { submissionFromBinary } from "../../../src/client/index.js";
import { RpcError } from "../../../src/rpc/rpc-error.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { ToyConsortium } from "../../support/toy-consortium.js";
import { repositoryRoot } from "../../support/tree.js";

/** The indented block that begins so. */
function sampleOf(markdown: string, beginning: string): string {
  const lines = markdown.slice(markdown.indexOf(beginning)).split("\n");
  const length = lines.findIndex((line) => line !== "" && !line.startsWith("    "));
  return lines
    .slice(0, length)
    .map((line) => line.slice(4))
    .join("\n");
}

describe("the TypeScript program of docs/integrators.md", () => {
  const directory = temporaryDirectory();
  let toy: ToyConsortium;

  before(async () => {
    toy = await ToyConsortium.create(join(directory, "demo"), { managers: 1 });
    const text = readFileSync(join(repositoryRoot(), "docs", "integrators.md"), "utf8");
    writeFileSync(join(directory, "sample.mjs"), sampleOf(text, "    import { existsSync"));
    mkdirSync(join(directory, "node_modules"));
    symlinkSync(repositoryRoot(), join(directory, "node_modules", "bss-node"));
  });
  after(() => toy.close());

  const run = () =>
    new Promise<{ failed: boolean; out: string; err: string }>((resolve) => {
      const options = { cwd: directory, timeout: 60_000 };
      execFile(process.execPath, ["sample.mjs"], options, (error, out, err) =>
        resolve({ failed: error !== null, out, err }),
      );
    });

  test("shows a refusal that nobody catches with its reason, on less than a screen", async () => {
    const { misbehaviour } = toy.manager(0);
    misbehaviour.refuse = () => new RpcError("INTERVAL_OVERLAP", "It is there already.");
    const { failed, err } = await run();
    delete misbehaviour.refuse;
    assert.ok(failed);
    assert.match(err, /RpcError: It is there already/);
    assert.match(err, /sample\.mjs:\d+/);
    assert.match(err, /reason: 'INTERVAL_OVERLAP'/);
    assert.ok(err.split("\n").length < 30, err);
    assert.ok(!existsSync(join(directory, "submission.bin")), "the next run sends another one");
  });

  test("sends what a run that failed has left, keeps a receipt, and proves it", async () => {
    const { misbehaviour } = toy.manager(0);
    misbehaviour.tamper = () => {
      throw new RpcError("RECORD_UNKNOWN", "No receipt now.");
    };
    assert.ok((await run()).failed);
    delete misbehaviour.tamper;
    const left = submissionFromBinary(readFileSync(join(directory, "submission.bin")));
    const { err, out } = await run();
    assert.equal(err, "");
    assert.match(out, /^\d+ \[ 'manager-1' \]\n$/);
    assert.deepEqual(new Uint8Array(readFileSync(join(directory, "record.bin"))), left?.records[0]);
    assert.ok(!existsSync(join(directory, "submission.bin")));
  });
});
