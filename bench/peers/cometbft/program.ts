/**
 * The program of CometBFT, at one version: from the Go module proxy, compiled by the `go` of this
 * machine, into a directory that git ignores. Nothing else is installed.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { repositoryRoot } from "../../../test/support/tree.js";

export const cometVersion = "v0.38.17";

const module = "github.com/cometbft/cometbft/cmd/cometbft";
/** It compiles some hundred packages. */
const installTimeoutMs = 15 * 60_000;
const outputBytesMax = 16 * 1_024 * 1_024;

/** What keeps the program from being there; for people. */
export class ProgramMissing extends Error {}

/** The file of the program. Throws `ProgramMissing`. */
export async function cometProgram(): Promise<string> {
  const directory = join(repositoryRoot(), ".build", "peers", `cometbft-${cometVersion}`);
  const file = join(directory, "cometbft");
  if (existsSync(file)) return file;
  await refuseWithoutGo();
  console.log(`compiling CometBFT ${cometVersion}, once; this takes minutes`);
  mkdirSync(directory, { recursive: true });
  try {
    await promisify(execFile)("go", ["install", `${module}@${cometVersion}`], {
      env: Object.assign({}, process.env, { GOBIN: directory }),
      timeout: installTimeoutMs,
      maxBuffer: outputBytesMax,
    });
  } catch (error) {
    throw new ProgramMissing(`go could not install CometBFT ${cometVersion}: ${String(error)}`);
  }
  return file;
}

async function refuseWithoutGo(): Promise<void> {
  try {
    await promisify(execFile)("go", ["version"]);
  } catch {
    throw new ProgramMissing(
      "go is missing, which compiles CometBFT: install Go 1.22 or newer from https://go.dev/dl",
    );
  }
}
