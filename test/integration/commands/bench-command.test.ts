import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { BssProcess } from "../../support/bss.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { ToyConsortium } from "../../support/toy-consortium.js";

describe("bss bench", () => {
  const directory = temporaryDirectory();
  const commands = new BssProcess(directory);
  let toy: ToyConsortium;
  const bench = (...args: readonly string[]) =>
    commands.run("bench", "--profile", toy.profileFile("participant-1"), ...args);

  before(async () => {
    toy = await ToyConsortium.create(join(directory, "toy"));
  });
  after(() => toy.close());
  after(() => commands.close());

  for (const [name, args, expected] of [
    [
      "a closed loop",
      ["--records", "3", "--in-flight", "4"],
      { records_per_submission: 3, in_flight: 4, submissions_per_s: null },
    ],
    [
      "an open loop",
      ["--rate", "20"],
      { records_per_submission: 1, in_flight: null, submissions_per_s: 20 },
    ],
  ] as const) {
    test(`measures ${name}`, async () => {
      const all = ["--json", "--permanent", "--seconds", "1", ...args];
      const { code, out, err } = await bench(...all);
      assert.equal(code, 0, err);
      const result = JSON.parse(out);
      assert.deepEqual({ ...result, ...expected }, result);
      assert.ok(result.records > 0 && result.blocks > 0 && result.p50_ms > 0);
      assert.ok(result.p50_ms <= result.p95_ms && result.p99_ms <= result.longest_ms);
      assert.deepEqual([result.refused, result.unanswered], [{}, 0]);
    });
  }

  for (const [name, args, problem] of [
    ["records that may not stay", [], /stay on the ledger for ever; give --permanent/],
    [
      "more records than a submission may have",
      ["--permanent", "--records", "1001"],
      /allows 1000/,
    ],
    ["records that are too long", ["--permanent", "--bytes", "70000"], /the policy allows 65536/],
    ["a rate of nothing", ["--permanent", "--rate", "0"], /such as 20 or 0.5/],
  ] as const) {
    test(`refuses ${name}`, async () => {
      const { code, err } = await bench(...args);
      assert.equal(code, 2);
      assert.match(err, problem);
    });
  }
});
