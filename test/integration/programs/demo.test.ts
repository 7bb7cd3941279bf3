/** `make demo` as a whole, on one day: eleven processes, every check, and exit codes. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryDirectory } from "../../support/temporary-directory.js";
import { shippedData } from "../../unit/examples/support.js";

const demoFile = join(import.meta.dirname, "../../../examples/energy-community/demo.js");
const lastLine =
  /^demo: (\d+) records in \d+ blocks on 4 managers and 7 storage nodes, roots equal, [\d.]+ s/;

type Ended = { readonly code: number | null; readonly output: string; readonly directory: string };

function runDemo(environment: Readonly<Record<string, string>>): Promise<Ended> {
  const directory = join(temporaryDirectory(), "demo");
  const env = { ...process.env, DEMO_DIR: directory, ...environment };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [demoFile], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output, directory }));
  });
}

function linesOf({ output }: Ended): readonly string[] {
  return output.trimEnd().split("\n");
}

describe("the energy community demo", () => {
  test("records a day and finds all that it checks", async () => {
    const ended = await runDemo({ DEMO_DAYS: "1" });
    assert.equal(ended.code, 0, ended.output);
    const lines = linesOf(ended);
    assert.equal(lines.filter((line) => line.startsWith("  ok ")).length, 11, ended.output);
    // The tariff, ten profiles, and the trades of the sunny hours.
    assert.equal(lastLine.exec(lines.at(-1) ?? "")?.[1], "110", ended.output);
    assert.ok(existsSync(join(ended.directory, "receipt.json")));
    const picture = readFileSync(join(ended.directory, "week.svg"), "utf8");
    assert.match(picture, /sold to neighbours: 36 kWh/);
  });

  test("leaves wrong rows out, names them, and exits with 1", async () => {
    const data = join(temporaryDirectory(), "data");
    cpSync(shippedData, data, { recursive: true });
    const file = join(data, "homes_fontana_hourly.csv");
    const rows = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, rows.with(4, "Building_4,1,7,24,7,NaN,0.0").join("\n"));
    const ended = await runDemo({ DEMO_DAYS: "1", DEMO_DATA: data });
    assert.equal(ended.code, 1, ended.output);
    assert.match(ended.output, /hourly\.csv, line 5, non_shiftable_load: "NaN" is no decimal/);
    assert.match(linesOf(ended).at(-1) ?? "", /^demo: 110 records .*; 1 problems in the data$/);
  });

  test("says what is missing before it starts anything", async () => {
    const ended = await runDemo({ DEMO_DATA: temporaryDirectory() });
    assert.equal(ended.code, 1);
    assert.match(ended.output, /homes_fontana_pv_kw\.csv cannot be read; check the path/);
    assert.equal(linesOf(ended).at(-1), "demo: FAILED, see above");
  });
});
