#!/usr/bin/env node
/**
 * The first file of the bundle (scripts/bundle.mjs): runs `main.ts`, which is in program.js with
 * all that it imports, as it was compiled before. A node needs other code than a command.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type CompileCache, cacheDirectory, runScript } from "./compile-cache.js";

/** What program.js evaluates to. */
type Program = (require: NodeJS.Require, filename: string, dirname: string) => void;

const dirname = import.meta.dirname;
const filename = join(dirname, "program.js");
// All of it is ASCII (scripts/bundle.mjs). Of one byte a character, V8 takes it as it is.
const text = readFileSync(filename, "latin1");
const program = runScript(text, pathToFileURL(filename).href, compileCache()) as Program;
program(createRequire(filename), filename, dirname);

function compileCache(): CompileCache | undefined {
  const directory = cacheDirectory(join(dirname, ".compile-cache"));
  if (directory === undefined) return undefined;
  return {
    directory,
    purpose: process.argv.includes("start") ? "node" : "command",
    sourceSha256: readFileSync(join(dirname, "program.sha256"), "latin1"),
  };
}
