import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { cacheDirectory, runScript } from "../../../src/cli/compile-cache.js";

const file = new URL("../../../src/cli/compile-cache.js", import.meta.url).href;
const script = "(function answer() { return 42; })";

describe("compiled code", () => {
  const parent = mkdtempSync(join(tmpdir(), "bss-compile-cache-"));
  after(() => rmSync(parent, { recursive: true }));
  const directoryOf = (name: string, mode = 0o700): string => {
    const directory = join(parent, name);
    mkdirSync(directory);
    chmodSync(directory, mode);
    return directory;
  };
  const cacheOf = (directory: string, text = script, purpose = "test") => ({
    directory,
    purpose,
    sourceSha256: createHash("sha256").update(text).digest("hex"),
  });
  /** Runs `text` in a process of its own: what it gave. */
  const run = (
    directory: string,
    text = script,
    purpose = "test",
    filename = "script.js",
  ): string => {
    const program = `
      const { runScript } = await import(${JSON.stringify(file)});
      const cache = ${JSON.stringify(cacheOf(directory, text, purpose))};
      const [text, filename] = ${JSON.stringify([text, filename])};
      process.stdout.write(String(runScript(text, filename, cache)()));`;
    const args = ["--input-type=module", "-e", program];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(`${status} ${stderr}`, "0 ");
    return stdout;
  };
  /** The one file in a directory. */
  const fileIn = (directory: string): string => {
    const names = readdirSync(directory);
    assert.equal(names.length, 1);
    return join(directory, String(names[0]));
  };

  test("is kept for the next process where only this user can write", () => {
    const directory = directoryOf("own");
    assert.equal(run(directory), "42");
    const kept = fileIn(directory);
    assert.equal(statSync(kept).mode & 0o777, 0o600);
    const before = statSync(kept, { bigint: true });
    assert.equal(run(directory), "42");
    // Used, and not made anew.
    assert.equal(statSync(kept, { bigint: true }).ino, before.ino);
    run(directory, script, "other");
    assert.equal(readdirSync(directory).length, 2);
  });

  test("is not kept where others can write", () => {
    for (const [name, mode] of [
      ["group", 0o770],
      ["all", 0o777],
    ] as const) {
      const directory = directoryOf(name, mode);
      assert.equal(run(directory), "42");
      assert.deepEqual(readdirSync(directory), []);
    }
  });

  test("is not taken from a file that others can write", () => {
    const directory = directoryOf("shared-before");
    run(directory);
    const kept = fileIn(directory);
    const { ino } = statSync(kept);
    chmodSync(kept, 0o666);
    assert.equal(run(directory), "42");
    const { ino: inoNow, mode } = statSync(kept);
    assert.notEqual(inoNow, ino);
    assert.equal(mode & 0o777, 0o600);
  });

  test("that is damaged, of another script or another version is made anew", () => {
    const directory = directoryOf("damaged");
    run(directory);
    const kept = fileIn(directory);
    const whole = readFileSync(kept);
    for (const damaged of [
      Buffer.alloc(0),
      whole.subarray(0, 20),
      whole.subarray(0, -1),
      Buffer.concat([
        whole.subarray(0, 100),
        Buffer.from([0xff ^ (whole[100] ?? 0)]),
        whole.subarray(101),
      ]),
    ]) {
      writeFileSync(kept, damaged);
      assert.equal(run(directory), "42");
      assert.ok(readFileSync(kept).length > 100);
    }
    assert.equal(run(directory, script.replace("42", "43")), "43");
    assert.equal(run(directory), "42");
  });

  test("of the same script in another place is made anew, as stacks name the place", () => {
    const directory = directoryOf("moved");
    const stack = "(function where() { return new Error().stack; })";
    assert.match(run(directory, stack, "test", "/old/place.js"), /\/old\/place\.js/);
    assert.match(run(directory, stack, "test", "/new/place.js"), /\/new\/place\.js/);
  });

  test("is not kept where no directory was made for it, and that is no error", () => {
    const directory = join(parent, "none");
    assert.equal(run(directory), "42");
    assert.throws(() => readdirSync(directory), { code: "ENOENT" });
    const answer = runScript(script, "script.js", undefined) as () => number;
    assert.equal(answer(), 42);
  });

  test("is kept where the variables of Node.js say", () => {
    const { NODE_COMPILE_CACHE: named, NODE_DISABLE_COMPILE_CACHE: disabled } = process.env;
    try {
      delete process.env.NODE_COMPILE_CACHE;
      delete process.env.NODE_DISABLE_COMPILE_CACHE;
      assert.equal(cacheDirectory("beside"), "beside");
      process.env.NODE_COMPILE_CACHE = join(parent, "named/deep");
      assert.equal(cacheDirectory("beside"), join(parent, "named/deep"));
      assert.ok(statSync(join(parent, "named/deep")).isDirectory());
      process.env.NODE_COMPILE_CACHE = "/dev/null/nowhere";
      assert.equal(cacheDirectory("beside"), undefined);
      process.env.NODE_DISABLE_COMPILE_CACHE = "1";
      assert.equal(cacheDirectory("beside"), undefined);
    } finally {
      restore("NODE_COMPILE_CACHE", named);
      restore("NODE_DISABLE_COMPILE_CACHE", disabled);
    }
  });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
