import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { allowedLicences, renderThirdParties, thirdParties } from "../../support/third-party.js";
import { repositoryRoot } from "../../support/tree.js";

const root = repositoryRoot();
const read = (name: string) => readFileSync(join(root, name), "utf8");

describe("the packages that the product installs", () => {
  const parties = thirdParties(read("package-lock.json"));

  test("are all that package.json asks for, and what these stand on", () => {
    const names = new Set(parties.map(({ name }) => name));
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: object };
    for (const name of Object.keys(dependencies)) {
      assert.ok(names.has(name === "rocksdb" ? "@nxtedition/rocksdb" : name), name);
    }
    assert.ok(!names.has("typescript"), "what only builds is left out");
  });

  test("have licences with which the product may be passed on", () => {
    const others = parties.filter(({ licence }) => !allowedLicences.has(licence));
    assert.deepEqual(others, []);
  });

  test("are those of THIRD-PARTY.md: 'make third-party' writes it", () => {
    assert.equal(read("THIRD-PARTY.md"), renderThirdParties(parties));
  });

  test("of another licence, or of none, are found", () => {
    const packages = {
      "": { name: "product" },
      "node_modules/a": { version: "1.0.0", license: "GPL-3.0-only" },
      "node_modules/a/node_modules/@b/c": { version: "2.0.0" },
      "node_modules/d": { version: "3.0.0", license: "MIT", dev: true },
    };
    assert.deepEqual(thirdParties(JSON.stringify({ packages })), [
      { name: "@b/c", version: "2.0.0", licence: "unknown" },
      { name: "a", version: "1.0.0", licence: "GPL-3.0-only" },
    ]);
    assert.ok(!allowedLicences.has("unknown") && !allowedLicences.has("GPL-3.0-only"));
  });
});
