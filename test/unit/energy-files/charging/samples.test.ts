/** The sample files against what is written down of them; how chunks are cut changes nothing. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { looksLikeOcpi, readOcpi } from "../../../../src/energy-files/charging/ocpi.js";
import { looksLikeOcpp, readOcpp } from "../../../../src/energy-files/charging/ocpp.js";
import { isDeviceId } from "../../../../src/ledger/ids.js";
import { itemsOf } from "../support/reading.js";
import { linesOf } from "./support.js";

const directory = "test/vectors/charging";

const samples = [
  ["ocpp-1-6.log", readOcpp],
  ["ocpp-1-6-objects.json", readOcpp],
  ["ocpp-2-0-1.jsonl", readOcpp],
  ["ocpi-2-1-1.json", readOcpi],
  ["ocpi-2-2-1.json", readOcpi],
  ["ocpi-2-3.jsonl", readOcpi],
] as const;

describe("sample files of charging sessions", () => {
  for (const [name, reader] of samples) {
    for (const chunkBytes of [1, 7, 65_536]) {
      test(`${name} in chunks of ${chunkBytes} bytes`, async () => {
        const file = readFileSync(`${directory}/${name}`);
        const expected = JSON.parse(readFileSync(`${directory}/${name}.expected.json`, "utf8"));
        assert.deepEqual(await linesOf(reader, file, { chunkBytes }), expected);
      });
    }

    test(`${name} is recognised by its beginning`, () => {
      const beginning = readFileSync(`${directory}/${name}`, "utf8").slice(0, 500);
      assert.equal(looksLikeOcpp(beginning), reader === readOcpp);
      assert.equal(looksLikeOcpi(beginning), reader === readOcpi);
    });

    test(`the stations of ${name} are named as stations on the ledger may be`, async () => {
      const items = await itemsOf(reader, readFileSync(`${directory}/${name}`));
      const names = items.flatMap((item) => (item.kind === "session" ? [item.stationName] : []));
      assert.ok(names.length > 0);
      assert.deepEqual(
        names.filter((each) => !isDeviceId(each)),
        [],
      );
    });
  }
});
