import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fuzz } from "./fuzz.js";

describe("what others send", () => {
  test("is decoded within bounds or refused, whatever it is", () => {
    const inputs = 20_000;
    const before = process.memoryUsage().rss;
    const { decoded, refused, findings, ...rest } = fuzz(1, inputs);
    assert.deepEqual(findings, []);
    assert.deepEqual(rest, { inputs });
    // The fuzzer reaches what comes after decoding, and what refuses.
    assert.ok(decoded > 2_000, `${decoded} decoded`);
    assert.ok(refused > 2_000, `${refused} refused`);
    const MiB = Math.round((process.memoryUsage().rss - before) / 2 ** 20);
    assert.ok(MiB < 512, `grew by ${MiB} MiB`);
  });

  test("comes again with the same seed", () => {
    const { findings: _, ...first } = fuzz(7, 500);
    const { findings: __, ...second } = fuzz(7, 500);
    assert.deepEqual(first, second);
  });
});
