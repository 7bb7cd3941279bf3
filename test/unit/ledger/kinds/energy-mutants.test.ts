/**
 * Whether the property test of metered energy and trades (metering-properties.test.ts) can fail:
 * each rule on energy with a mistake in it, and each step by which a profile changes sums.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Change, compiled, copyCompiled, mutate, restore } from "../../../support/mutant.js";

const trades = "src/ledger/kinds/energy-trade.js";
const metering = "src/ledger/kinds/metering.js";
const profiles = "src/ledger/kinds/load-profile.js";

const mistakes: readonly (Change & { readonly what: string })[] = [
  {
    what: "a seller sells a Wh more than was exported",
    file: trades,
    from: "soldWithTrade(state, record) > seller.exportedWh",
    to: "soldWithTrade(state, record) > seller.exportedWh + 1",
  },
  {
    what: "a buyer buys a Wh more than was imported",
    file: trades,
    from: "boughtWithTrade(state, record) <= buyer.importedWh",
    to: "boughtWithTrade(state, record) <= buyer.importedWh + 1",
  },
  {
    what: "an update lowers exports a Wh below what is sold",
    file: metering,
    from: "if (exportedWh < soldWh) {",
    to: "if (exportedWh + 1 < soldWh) {",
  },
  {
    what: "an update lowers imports a Wh below what is bought",
    file: metering,
    from: "if (importedWh < boughtWh) {",
    to: "if (importedWh + 1 < boughtWh) {",
  },
  {
    what: "a profile's values count in the next delivery interval from its last interval on",
    file: profiles,
    from: "if (deliveryEndsIn <= 0) {",
    to: "if (deliveryEndsIn <= intervalS) {",
  },
  {
    what: "a profile's update counts beside the version that it replaces",
    file: profiles,
    from: "before?.position === own ? before : undefined",
    to: "undefined",
  },
  {
    what: "a profile takes what stands for another record",
    file: profiles,
    from: "if (taken === undefined || taken.position === own)",
    to: "if (taken === undefined || own !== undefined)",
  },
  {
    what: "an interval that becomes absent keeps its value",
    file: profiles,
    from: "if (own !== undefined)\n                takeAway(",
    to: "if (own === null)\n                takeAway(",
  },
];

/** Below the tree, so that packages are found. */
const scratch = join(compiled, "energy-mutants");
const properties = join("test", "unit", "ledger", "kinds", "metering-properties.test.js");
const parts = ["src", join("test", "unit", "ledger", "support"), properties];

function passes(): boolean {
  // Tests that run within tests would report to the outer ones.
  const { NODE_TEST_CONTEXT: _, NODE_V8_COVERAGE: __, ...env } = process.env;
  const run = spawnSync(process.execPath, [join(scratch, properties)], {
    encoding: "utf8",
    env: { ...env, HISTORIES: "1500", SEED: "1" },
  });
  assert.match(run.stdout, /judged and added up as by the model/);
  return run.status === 0;
}

describe("the property test of energy", () => {
  before(() => copyCompiled(scratch, parts));
  after(() => rmSync(scratch, { recursive: true, force: true }));

  test("passes without a mistake", () => assert.ok(passes()));

  for (const { what, ...change } of mistakes) {
    test(`notices when ${what}`, () => {
      mutate(scratch, [change]);
      assert.equal(passes(), false);
      restore(scratch, [change]);
    });
  }
});
