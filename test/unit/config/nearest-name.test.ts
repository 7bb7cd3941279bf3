import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nearestName } from "../../../src/config/nearest-name.js";

describe("nearestName", () => {
  const known = ["listen", "log", "limits", "signing_key", "vrf_key"];
  const cases: readonly (readonly [string, string | undefined])[] = [
    ["listn", "listen"],
    ["lsiten", "listen"],
    ["Listen", "listen"],
    ["limit", "limits"],
    ["signingKey", "signing_key"],
    ["signing-key", "signing_key"],
    ["vfr_key", "vrf_key"],
    ["lg", "log"],
    ["advertise", undefined],
    ["key", undefined],
    ["", undefined],
  ];
  for (const [name, expected] of cases) {
    test(`takes \`${name}\` for ${expected ?? "nothing known"}`, () => {
      assert.equal(nearestName(name, known), expected);
    });
  }

  test("prefers the name with fewer edits, whatever the order", () => {
    assert.equal(
      nearestName("manager-11", ["manager-21", "manager-111", "manager-11"]),
      "manager-11",
    );
    assert.equal(nearestName("storages", ["storage-1", "storage"]), "storage");
  });
});
