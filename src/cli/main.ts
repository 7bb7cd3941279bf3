#!/usr/bin/env node
import { keepCompiledCode } from "./compile-cache.js";
import { watchOutput } from "./text/output.js";

keepCompiledCode();
watchOutput();
// Loaded now, as only what is loaded from here on is taken from the cache.
const { runCommandLine } = await import("./program.js");
const exitCode = await runCommandLine(process.argv.slice(2));
// A connection to a machine that takes it and says nothing would hold the process up for minutes.
process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));
