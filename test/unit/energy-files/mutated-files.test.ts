/**
 * Files with bytes changed, cut out, doubled and put in: whatever comes of them, a reader gives
 * values and problems of the kind that it promises, or says that the file cannot be read.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { type FileItem, FileUnreadable } from "../../../src/energy-files/file-values.js";
import { readGreenButton } from "../../../src/energy-files/green-button/green-button-reader.js";
import { readNem12 } from "../../../src/energy-files/nem12/nem12-reader.js";
import { Random } from "../../simulation/random.js";
import { itemsOf } from "./support/reading.js";

const readers = [
  ["nem12.csv", readNem12, ["300,", "400,1,48,V", "\n", '"', ",", "-1", "V", "\u0000", "900"]],
  [
    "green-button.xml",
    readGreenButton,
    [
      "<",
      ">",
      "&",
      "]]>",
      "<![CDATA[",
      "<!DOCTYPE a>",
      "<!--",
      "<entry>",
      "</feed>",
      "\u0000",
      "-1",
    ],
  ],
] as const;

const runs = 100;

describe("files with mistakes", () => {
  for (const [name, reader, pieces] of readers) {
    test(`${name}: a reader gives what it promises, or says why not`, async () => {
      const random = new Random(20_260_412);
      const original = readFileSync(`test/vectors/energy-files/${name}`).subarray(0, 10_000);
      let read = 0;
      for (let run = 0; run < runs; run++) {
        const file = mutated(random, original, pieces);
        try {
          for (const item of await itemsOf(reader, file, { chunkBytes: 1 + random.below(8_000) }))
            check(item);
          read += 1;
        } catch (error) {
          assert.ok(error instanceof FileUnreadable, `run ${run}: ${(error as Error)?.stack}`);
        }
      }
      assert.ok(read < runs, "every file was readable");
    });
  }
});

function mutated(random: Random, original: Uint8Array, pieces: readonly string[]): Uint8Array {
  let bytes = Buffer.from(original);
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, at + random.below(200));
    const inserted = [
      Buffer.from(random.pick(pieces)),
      bytes.subarray(at, to),
      Buffer.from([random.below(256)]),
      Buffer.alloc(0),
    ];
    const behind = bytes.subarray(random.chance(0.5) ? at : to);
    bytes = Buffer.concat([bytes.subarray(0, at), random.pick(inserted), behind]);
  }
  return bytes;
}

function check(item: FileItem): void {
  assert.ok(Number.isSafeInteger(item.place.line) && item.place.line > 0);
  if (item.kind === "problem") {
    assert.ok(item.message.length > 0 && item.message.length < 400, item.message);
  } else if (item.kind === "value") {
    assert.ok(Number.isSafeInteger(item.startS) && item.intervalS > 0);
    assert.ok(item.energy.amount >= 0n && item.energy.perWh > 0n);
  }
}
