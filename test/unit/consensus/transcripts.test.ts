/**
 * What a ring does, step by step, as transcripts (see support/transcript.ts). After a
 * change that is meant to show, `UPDATE_TRANSCRIPTS=1` writes them anew; read the
 * difference before committing it.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { repositoryRoot } from "../../support/tree.js";
import { replay } from "./support/transcript.js";

const directory = join(repositoryRoot(), "test", "unit", "consensus", "transcripts");

describe("transcripts of the ring", () => {
  const files = readdirSync(directory).filter((name) => name.endsWith(".txt"));

  test("there are transcripts to replay", () => assert.ok(files.length >= 5));

  for (const name of files) {
    test(name.replace(/\.txt$/, "").replaceAll("-", " "), () => {
      const path = join(directory, name);
      const written = readFileSync(path, "utf8");
      const replayed = replay(written);
      if (process.env.UPDATE_TRANSCRIPTS === "1") writeFileSync(path, replayed);
      assert.equal(replayed, written);
    });
  }
});
