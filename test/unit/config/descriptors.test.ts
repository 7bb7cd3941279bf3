import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "../../../src/config/config-error.js";
import {
  descriptorLimit,
  descriptorTrouble,
  limitOf,
  planDescriptors,
} from "../../../src/config/descriptors.js";

describe("the plan of descriptors", () => {
  const plan = (limit: number | undefined, configured?: number, storeFiles = 0) =>
    planDescriptors(limit, { file: "config.yaml", configured, storeFiles });

  test("leaves the store its own, and connections what they may have by default", () => {
    assert.deepEqual(plan(65_536), { connectionsMax: 8_192, warning: undefined });
    assert.deepEqual(plan(undefined), { connectionsMax: 8_192, warning: undefined });
    assert.equal(plan(8_192).connectionsMax, 8_192 - 2_048 - 128);
  });

  test("follows the config", () => {
    assert.equal(plan(65_536, 20_000).connectionsMax, 20_000);
    assert.equal(plan(undefined, 20_000).connectionsMax, 20_000);
  });

  test("warns of a limit that is low", () => {
    const { connectionsMax, warning } = plan(1_024);
    assert.equal(connectionsMax, 1_024 - 512 - 128);
    assert.match(warning ?? "", /only 1024 files.+at most 384 connections; raise it: LimitNOFILE/);
  });

  test("refuses a limit that is too low, and says what would do", () => {
    for (const refused of [
      () => plan(512),
      () => plan(4_096, 8_000),
      () => plan(4_096, 500, 1_800),
    ]) {
      assert.throws(refused, (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /limits\.connections_max|LimitNOFILE/);
        return true;
      });
    }
    const advised = /to (\d+) or more/.exec(messageOf(() => plan(4_096, 8_000)))?.[1];
    assert.equal(plan(Number(advised), 8_000).connectionsMax, 8_000);
  });

  test("counts what a store has open already", () => {
    assert.equal(plan(8_192, undefined, 3_000).connectionsMax, 8_192 - 6_000 - 128);
  });
});

function messageOf(refused: () => unknown): string {
  try {
    refused();
  } catch (error) {
    return String(error);
  }
  return "";
}

test("a command needs few descriptors, and says so where there are fewer", () => {
  assert.equal(descriptorTrouble(undefined), undefined);
  assert.equal(descriptorTrouble(64), undefined);
  const { what, next } = descriptorTrouble(63) ?? {};
  assert.equal(what, "the process may open only 63 files and connections; at least 64 are needed");
  assert.match(next ?? "", /^raise it: LimitNOFILE=65536 .+ or ulimit -n$/);
});

test("the limit is read as Linux tells it", () => {
  const text = [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max processes             63453                63453                processes ",
    "Max open files            20000                20001                files     ",
  ].join("\n");
  assert.equal(limitOf(text), 20_000);
  assert.equal(
    limitOf("Max open files            unlimited            unlimited   files"),
    undefined,
  );
  const own = descriptorLimit();
  assert.ok(own === undefined || own > 0);
});
