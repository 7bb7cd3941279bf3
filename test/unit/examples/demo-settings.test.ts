import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { demoSettings } from "../../../examples/energy-community/demo-settings.js";
import { shippedData } from "./support.js";

describe("the demo's settings", () => {
  test("all of the shipped data, when the environment says nothing", () => {
    const usual = { daysMax: 40_000, dataDirectory: shippedData, directory: resolve(".demo") };
    assert.deepEqual(demoSettings({}), usual);
    assert.deepEqual(demoSettings({ DEMO_DAYS: "", DEMO_DATA: "", DEMO_DIR: "" }), usual);
    assert.deepEqual(demoSettings({ DEMO_PORT: "" }), usual);
  });

  test("what the environment says", () => {
    const environment = {
      DEMO_DAYS: "24",
      DEMO_DATA: "homes",
      DEMO_DIR: "/tmp/there",
      DEMO_PORT: "8400",
    };
    assert.deepEqual(demoSettings(environment), {
      daysMax: 24,
      dataDirectory: resolve("homes"),
      directory: "/tmp/there",
      basePort: 8400,
    });
  });

  for (const text of ["0", "-1", "84.5", "http", "60001", "0x20"]) {
    test(`DEMO_PORT=${text} is refused`, () => {
      assert.throws(() => demoSettings({ DEMO_PORT: text }), /is no base port; use a whole/);
    });
  }

  for (const text of ["0", "-1", "1.5", "week", "1e3", "40001", " 1"]) {
    test(`DEMO_DAYS=${text} is refused`, () => {
      assert.throws(() => demoSettings({ DEMO_DAYS: text }), /is no number of days; use a whole/);
    });
  }
});
