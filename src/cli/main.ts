#!/usr/bin/env node
import { reportLostOutput, runCommandLine } from "./program.js";
import { watchOutput } from "./text/output.js";

const argv = process.argv.slice(2);
watchOutput((error) => process.exit(reportLostOutput(error, argv)));
void run();

// Without await at the top: in the bundle this is a script (bundled.ts).
async function run(): Promise<void> {
  const exitCode = await runCommandLine(argv);
  // A connection to a machine that takes it and says nothing would hold the process up for minutes.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));
}
