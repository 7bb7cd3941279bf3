/**
 * Runs the commands of the README's "Quick start by hand", "Another PC joins" and "With any gRPC
 * client" in their order, in one shell. Only what a reader does by hand is put in their place:
 * other base ports, terminals of their own, the hash that is listed.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { defaultBasePort } from "../../../src/cli/init/defaults.js";
import { firstPort } from "../../../src/cli/register/readiness.js";
import { freeBasePort } from "../../support/free-ports.js";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { repositoryRoot } from "../../support/tree.js";

const headings = ["## Quick start by hand", "### Another PC joins", "### With any gRPC client"];
const nodesMax = 8;
const operator = "--profile demo/operators/operator-1/profile.yaml";

/** What the shell has beforehand: waiting, and an end that leaves no process behind. */
const prelude = `
set -euo pipefail
shopt -s expand_aliases
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
make() { :; }
# Until the command succeeds, while the process of the last terminal lives.
until_ok() { until "$@" >> waited.log 2>&1; do kill -0 "$terminal" && sleep 0.5; done; }
`;

const answered = (command: string) => `answers() { ${command}; }; until_ok answers`;
const joined = answered(
  `bss storage list ${operator} --json | grep '"pc-8"' | grep '"connected":true'`,
);

describe("the README", () => {
  const readme = readFileSync(join(repositoryRoot(), "README.md"), "utf8");

  test("has commands that work as they stand there", async () => {
    // As with the README's own ports, where storage-1 has the first that pc-8 might take.
    const holder = createServer().listen(firstPort, "127.0.0.1");
    holder.on("error", () => {});
    const basePort = await freeBasePort(nodesMax);
    const lines = headings.flatMap((heading) => commandsBelow(readme, heading));
    const script = lines.flatMap((line) => byHand(line, basePort));
    const { code, output } = await runShell(`${prelude}${script.join("\n")}\necho THE END`);
    holder.close();
    assert.equal(code, 0, output);
    assert.match(output, /THE END\n/);
    assert.match(output, /the receipt is valid/);
    assert.match(output, /pc-8 has joined with block \d+\n/);
    assert.match(output, /pc-8 has joined before and has its certificate\n/);
    assert.match(output, /"nodeId": "manager-1"/, "buf has an answer of GetStatus");
  });
});

/** The first indented block below a heading, with lines joined that end in a backslash. */
function commandsBelow(text: string, heading: string): readonly string[] {
  const [, below = ""] = text.split(`\n${heading}\n`);
  const block = /^(?: {4}.*\n|\n(?= {4}))+/m.exec(below)?.[0] ?? "";
  assert.notEqual(block, "", `${heading} has no commands`);
  const joinedLines = block.replaceAll(/\\\n/g, " ");
  return joinedLines.split("\n").map((line) => line.trim());
}

/** A line of the README with what its reader does about it. */
function byHand(line: string, basePort: number): readonly string[] {
  const command = line.replace(/\s+#.*$/, "");
  if (command.startsWith("bss init")) return [`${command} --base-port ${basePort}`];
  if (command.startsWith("bss devnet")) {
    return [`${command} > devnet.log 2>&1 & terminal=$!`, answered(`bss status ${operator}`)];
  }
  if (command.startsWith("bss register")) {
    const start = `${command} 2>&1 & terminal=$!`;
    return [start, joined, "kill $terminal", "wait $terminal", start, joined];
  }
  if (command.includes("HASH")) {
    return ["HASH=$(bss list | awk 'NR == 2 { print $1 }')", command.replace("HASH", "$HASH")];
  }
  const usual = `127.0.0.1:${defaultBasePort + 1}`;
  return [command.replace(usual, `127.0.0.1:${basePort + 1}`)];
}

/** In a directory that looks like the repository and may be written beside. */
async function runShell(script: string): Promise<{ code: number | null; output: string }> {
  const cwd = join(temporaryDirectory(), "repository");
  mkdirSync(cwd);
  for (const name of ["dist", "node_modules"]) {
    symlinkSync(join(repositoryRoot(), name), join(cwd, name));
  }
  const child = spawn("bash", ["-c", script], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      output += data.toString();
    });
  }
  const [code] = await once(child, "close");
  return { code, output };
}
