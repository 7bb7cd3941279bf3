import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  communityYaml,
  ratedPowerW,
} from "../../../../examples/energy-community/community/community.js";
import { readCommunityFile } from "../../../../src/cli/init/community-file.js";
import { temporaryDirectory } from "../../../support/temporary-directory.js";

const panelsKw = { digits: 4n, scale: 0 };

describe("the community file", () => {
  test("has the head-end, and each home with one meter that can carry its data", () => {
    const homes = ["building-1", "no"].map((id) => ({ building: id, id, panelsKw }));
    const yaml = communityYaml(homes, (id) => (id === "no" ? 30_500 : 8602));
    const file = join(temporaryDirectory(), "community.yaml");
    writeFileSync(file, yaml);
    const options = { deliveryIntervalS: 3600, reservedIds: new Set(["manager-1"]) };
    assert.deepEqual(readCommunityFile(file, options), [
      { id: "head-end", agents: [], meters: [] },
      {
        id: "building-1",
        agents: ["head-end"],
        meters: [{ id: "building-1-meter", ratedPowerW: 25_000, intervalS: 3600 }],
      },
      {
        id: "no",
        agents: ["head-end"],
        meters: [{ id: "no-meter", ratedPowerW: 31_000, intervalS: 3600 }],
      },
    ]);
  });

  test("a rating is 25 kW, or the next whole kW above what the data demand", () => {
    assert.deepEqual(
      [0, 25_000, 25_001, 26_000].map(ratedPowerW),
      [25_000, 25_000, 26_000, 26_000],
    );
  });
});
