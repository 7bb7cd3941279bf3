#!/usr/bin/env node
import { runCommandLine } from "./program.js";
import { watchOutput } from "./text/output.js";

watchOutput();
void run();

// Without await at the top: in the bundle this is a script (bundled.ts).
async function run(): Promise<void> {
  const exitCode = await runCommandLine(process.argv.slice(2));
  // A connection to a machine that takes it and says nothing would hold the process up for minutes.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));
}
