import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { utf8 } from "../../../src/base/bytes.js";
import { defaultPolicy } from "../../../src/cli/init/defaults.js";
import { loadProfile } from "../../../src/config/profile.js";
import { parseTariff } from "../../../src/settlement/tariff.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { repositoryRoot } from "../../support/tree.js";

const text = readFileSync(join(repositoryRoot(), "docs", "settlement.md"), "utf8");

/** The indented block of the page that begins with this line. */
function block(firstLine: string): string {
  const lines = text.split("\n");
  const start = lines.indexOf(`    ${firstLine}`);
  assert.ok(start >= 0, firstLine);
  const length = lines.slice(start).findIndex((line) => !line.startsWith("    "));
  return lines
    .slice(start, start + length)
    .map((line) => line.slice(4))
    .join("\n");
}

test("the page's tariff is one for a consortium of bss init", () => {
  const tariff = parseTariff(utf8(block("{")));
  assert.ok(tariff.ok);
  assert.equal(tariff.value.currency, defaultPolicy(4).currency);
});

test("the page's profile of a manager is one", () => {
  const file = join(temporaryDirectory(), "profile.yaml");
  writeFileSync(file, block("id: manager-1"));
  assert.equal(loadProfile(file).role, "manager");
});
