import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { mutations } from "./mutations/catalogue.js";

/** The compiled tree that this file is in. */
const compiled = join(import.meta.dirname, "..", "..");

describe("each mistake that the simulation must find", () => {
  for (const { name, changes } of mutations) {
    test(`can be made in the code as it is: ${name}`, () => {
      for (const { file, from } of changes) {
        const count = readFileSync(join(compiled, file), "utf8").split(from).length - 1;
        assert.equal(count, 1, `${file}: ${from}`);
      }
    });
  }
});
