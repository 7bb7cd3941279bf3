/**
 * A short run of what `make chaos` does for longer: real processes, load, faults, and the check.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runChaos } from "../../chaos/chaos.js";
import { Journal } from "../../chaos/journal.js";
import { renderOutcome } from "../../chaos/report.js";
import { suiteTimeoutMs } from "../../support/live-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("a consortium under chaos", { timeout: suiteTimeoutMs }, () => {
  const parent = temporaryDirectory();

  test("loses nothing, says nothing twice, and recovers by itself", async () => {
    const directory = join(parent, "chaos");
    mkdirSync(directory);
    const journal = new Journal();
    const outcome = await runChaos({
      seed: 1,
      faultsMs: 12_000,
      directory,
      journal,
      managers: 4,
      storage: 4,
      kinds: ["kill-manager", "silence-manager", "pause-storage", "kill-all"],
      pauseMaxMs: 2_500,
      holdMaxMs: 2_500,
    });
    const story = journal.entries.map(({ atMs, text }) => `${atMs} ${text}`).join("\n");
    assert.deepEqual(outcome.violations, [], `${story}\n${renderOutcome(outcome)}`);
    assert(outcome.phases.length >= 1, story);
    assert(outcome.acknowledged > 0, story);
    for (const [what, count] of Object.entries(outcome.seen)) assert(count > 0, what);
  });
});
