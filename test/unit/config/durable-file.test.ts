import assert from "node:assert/strict";
import {
  fstatSync,
  fsyncSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, test } from "node:test";
import {
  createSecretFile,
  type FileCalls,
  replacePublicFile,
} from "../../../src/config/durable-file.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("files that must outlive a crash", () => {
  const parent = temporaryDirectory();
  let count = 0;
  let file = "";
  let directory = "";
  let done: string[] = [];

  beforeEach(() => {
    directory = join(parent, `${++count}`);
    file = join(directory, "file");
    done = [];
    mkdirSync(directory);
  });

  /** Writes three bytes at a time, and notes what is asked. */
  const watching: FileCalls = {
    write: (descriptor, bytes, from) => {
      done.push("write");
      return writeSync(descriptor, bytes, from, Math.min(3, bytes.length - from));
    },
    sync: (descriptor) => {
      const isDirectory = fstatSync(descriptor).isDirectory();
      const names = isDirectory ? ` with ${readdirSync(directory).join()}` : "";
      done.push(`sync ${isDirectory ? "directory" : "file"}${names}`);
      fsyncSync(descriptor);
    },
  };
  const full: FileCalls = {
    ...watching,
    write: () => {
      throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    },
  };
  const writers = [
    { title: "a public file", write: replacePublicFile, mode: 0o644 },
    { title: "a secret", write: createSecretFile, mode: 0o600 },
  ];

  for (const { title, write, mode } of writers) {
    test(`${title} is written whole, and it and its name are on disk`, () => {
      write(file, "12345678", watching);
      assert.equal(readFileSync(file, "utf8"), "12345678");
      assert.equal(statSync(file).mode & 0o777, mode);
      const wrote = ["write", "write", "write", "sync file"];
      assert.deepEqual(done, [...wrote, "sync directory with file"]);
    });

    test(`nothing is left of ${title} that a full disk has no room for`, () => {
      assert.throws(() => write(file, "12345678", full), { code: "ENOSPC" });
      assert.deepEqual(readdirSync(directory), []);
    });
  }

  test("a public file takes the place of an old one, a secret takes nobody's", () => {
    writeFileSync(file, "old");
    assert.throws(() => createSecretFile(file, "new"), { code: "EEXIST" });
    assert.equal(readFileSync(file, "utf8"), "old");
    replacePublicFile(file, "new");
    assert.equal(readFileSync(file, "utf8"), "new");
    assert.deepEqual(readdirSync(directory), ["file"]);
  });
});
