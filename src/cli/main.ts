#!/usr/bin/env node
import { exitCodes } from "./cli-error.js";
import { runCommandLine } from "./program.js";

// `bss list | head` closes our stdout: that is the end of the work, no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.success);
  throw error;
});

const exitCode = await runCommandLine(process.argv.slice(2));
// A connection to a machine that takes it and says nothing would hold the process up for minutes.
process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));
