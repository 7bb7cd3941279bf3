/** Runs the recipes of docs/grpcurl.md against a manager, and compares what they print. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { toHex } from "../../../src/base/bytes.js";
import { connect, meterReading, recordHash } from "../../../src/client/index.js";
import { mainFile } from "../../support/bss.js";
import { pattern, type Recipe, recipesOf, runRecipes } from "../../support/recipes.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { ToyConsortium } from "../../support/toy-consortium.js";
import { repositoryRoot } from "../../support/tree.js";

const text = readFileSync(join(repositoryRoot(), "docs", "grpcurl.md"), "utf8");
const grpcurl = process.env.GRPCURL ?? "grpcurl";
// It is a program of its own: .ci/grpcurl installs it, and CI runs these tests with it.
const isMissing = !answers(grpcurl) && `${grpcurl} is missing`;

describe("docs/grpcurl.md", () => {
  const directory = temporaryDirectory();
  let toy: ToyConsortium;
  let hash: string;

  before(async () => {
    toy = await ToyConsortium.create(join(directory, "demo"), { managers: 1 });
    const client = await connect(toy.profile("participant-1"));
    const interval = { intervalStartS: 1793505600, intervalS: 3600 };
    const ids = { ownerId: "participant-1", meterId: "meter-1" };
    const record = meterReading({ ...ids, ...interval, importedWh: 412, exportedWh: 0 });
    await client.submit(client.sign([record]));
    hash = toHex(recordHash(client.consortiumId, record));
    client.close();
  });
  after(() => toy.close());

  test("has recipes that print what it says", { skip: isMissing }, async () => {
    const recipes = recipesOf(
      text.replaceAll("HASH", hash).replaceAll("../bss-node", repositoryRoot()),
    );
    assert.ok(recipes.length >= 10);
    const own = "demo/participants/participant-1";
    const prelude = [
      `M=${toy.manager(0).address}`,
      `P=${own}`,
      `TLS="-cacert demo/ca-bundle.pem -cert ${own}/tls.crt -key ${own}/tls.key"`,
      `grpcurl() { ${grpcurl} "$@"; }`,
      `bss() { ${process.execPath} ${mainFile} "$@"; }`,
    ].join("\n");
    const printed = await runRecipes(recipes, prelude, directory);
    for (const [i, recipe] of recipes.entries()) {
      assert.match(printed[i] ?? "no output", pattern(recipe), recipe.command);
    }
  });

  test("is compared line by line", () => {
    const recipe: Recipe = { command: "x", output: ["a", "…", "b … c"] };
    assert.match("a\nb 1 c\n", pattern(recipe));
    assert.match("a\nmore\nand more\nb 1 c\n", pattern(recipe));
    for (const wrong of ["a\n", "b 1 c\n", "a\nb 1 c\nmore\n", "aa\nb 1 c\n", "a\nb 1 d\n", ""]) {
      assert.doesNotMatch(wrong, pattern(recipe));
    }
    assert.doesNotMatch("error\n", pattern({ command: "x", output: [] }));
  });
});

function answers(program: string): boolean {
  try {
    execFileSync(program, ["-version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
