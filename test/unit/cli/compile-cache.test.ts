import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import * as nodeModule from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";

const file = new URL("../../../src/cli/compile-cache.js", import.meta.url).href;
const isAbsent = !("enableCompileCache" in nodeModule) && "this Node.js keeps no compiled code";

describe("compiled code", () => {
  const parent = mkdtempSync(join(tmpdir(), "bss-compile-cache-"));
  after(() => rmSync(parent, { recursive: true }));
  /** What a process that loads something leaves in the directory. */
  const keptIn = (directory: string): number => {
    const program = `
      const { keepCompiledCode } = await import(${JSON.stringify(file)});
      keepCompiledCode(${JSON.stringify(directory)});
      await import("commander");`;
    const { NODE_COMPILE_CACHE: _, ...env } = process.env;
    const args = ["--input-type=module", "-e", program];
    const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
    assert.equal(`${status} ${stderr}`, "0 ");
    return readdirSync(directory).length;
  };
  const directoryOf = (name: string, mode: number): string => {
    const directory = join(parent, name);
    mkdirSync(directory);
    chmodSync(directory, mode);
    return directory;
  };

  test("is kept where only this user can write", { skip: isAbsent }, () => {
    assert.ok(keptIn(directoryOf("own", 0o700)) > 0);
  });

  test("is not kept where others can write", () => {
    assert.equal(keptIn(directoryOf("group", 0o770)), 0);
    assert.equal(keptIn(directoryOf("all", 0o777)), 0);
  });

  test("is not kept where no directory was made for it, and that is no error", () => {
    assert.throws(() => keptIn(join(parent, "none")), { code: "ENOENT" });
  });
});
