import { after, afterEach, before, describe } from "node:test";
import { testBrokenOffRuns } from "./client-commands/broken-off-runs.js";
import { CommandWorld } from "./client-commands/command-world.js";
import { testMistakes } from "./client-commands/mistakes.js";
import { testReceipts } from "./client-commands/receipts.js";
import { testSentFiles } from "./client-commands/sent-files.js";
import { testViews } from "./client-commands/views.js";

describe("the commands that talk to a consortium", () => {
  const world = new CommandWorld();
  before(() => world.open());
  afterEach(() => world.calm());
  after(() => world.close());

  testReceipts(world);
  testSentFiles(world);
  testBrokenOffRuns(world);
  testViews(world);
  testMistakes(world);
});
