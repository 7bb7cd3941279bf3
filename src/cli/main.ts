#!/usr/bin/env node
import { exitCodes } from "./cli-error.js";
import { runCommandLine } from "./program.js";

// `bss list | head` closes our stdout: that is the end of the work, no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.success);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2));
