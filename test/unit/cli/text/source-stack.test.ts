import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { sourceStack } from "../../../../src/cli/text/source-stack.js";

describe("stacks", () => {
  const here = import.meta.url;

  test("name lines of the sources where there is a source map", () => {
    const path = fileURLToPath(here);
    const turned = sourceStack(`Error: x\n    at f (${here}:5:1)\n    at ${path}:6:1`);
    const file = "test/unit/cli/text/source-stack.test.ts";
    const [what, first, second] = turned.replaceAll(/:\d+:\d+/g, "").split("\n");
    assert.equal(what, "Error: x");
    assert.equal(first, `    at f (${file})`);
    assert.equal(second, `    at ${file}`);
  });

  test("stay as they are where there is none", () => {
    for (const stack of [
      "Error: x\n    at f (file:///nowhere/chunk-ABC.js:5:1)",
      `Error: x\n    at f (${here}:999999:1)`.replace(".js", ".none.js"),
      "Error: x\n    at node:internal/modules/run_main:155:12",
      "",
    ]) {
      assert.equal(sourceStack(stack), stack);
    }
  });
});
