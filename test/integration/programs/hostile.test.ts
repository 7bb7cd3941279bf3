/**
 * A short run of what `make hostile` does for longer: every attack that shows something within
 * seconds, all at once, against real processes.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { attacks } from "../../hostile/catalogue.js";
import { runHostile } from "../../hostile/hostile.js";
import { tableHead, tableRow } from "../../hostile/report.js";
import { suiteTimeoutMs } from "../../support/live-consortium.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";

describe("a consortium under attack", { timeout: suiteTimeoutMs }, () => {
  const parent = temporaryDirectory();

  test("goes on: nobody ends, nobody is suspended, memory and logs keep their bounds", async () => {
    const { quiet, phases, closing } = await runHostile({
      directory: join(parent, "consortium"),
      attacks: attacks.filter(({ secondsMin }) => secondsMin === undefined),
      seconds: 12,
      together: true,
      assertLatency: false,
      archiveMiB: 4,
    });
    const story = [tableHead, ...[quiet, ...phases].map(tableRow)].join("\n");
    const broken = phases.flatMap((phase) => phase.broken);
    assert.deepEqual([...broken, ...closing], [], story);
    const [all] = phases;
    assert(Object.keys(all?.tallies ?? {}).length > 20, story);
  });
});
