import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { demoSettings } from "../../../examples/energy-community/demo-settings.js";
import { shippedData } from "./support.js";

describe("the demo's settings", () => {
  test("a week of the shipped data, when the environment says nothing", () => {
    const usual = { hoursMax: 168, dataDirectory: shippedData, directory: resolve(".demo") };
    assert.deepEqual(demoSettings({}), usual);
    assert.deepEqual(demoSettings({ DEMO_HOURS: "", DEMO_DATA: "", DEMO_DIR: "" }), usual);
    assert.deepEqual(demoSettings({ DEMO_PORT: "" }), usual);
  });

  test("what the environment says", () => {
    const environment = {
      DEMO_HOURS: "24",
      DEMO_DATA: "homes",
      DEMO_DIR: "/tmp/there",
      DEMO_PORT: "8400",
    };
    assert.deepEqual(demoSettings(environment), {
      hoursMax: 24,
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

  for (const text of ["0", "-1", "1.5", "week", "1e3", "1000001", " 1"]) {
    test(`DEMO_HOURS=${text} is refused`, () => {
      assert.throws(() => demoSettings({ DEMO_HOURS: text }), /is no number of hours; use a whole/);
    });
  }
});
