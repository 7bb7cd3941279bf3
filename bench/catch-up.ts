/**
 * `node dist/bench/catch-up.js [--blocks N] [--records N] [--dir DIRECTORY] [--cpu-prof DIRECTORY]`:
 * how fast nodes that start from nothing catch up on loopback. A consortium of 4 managers and 4
 * storage nodes makes N blocks; then one manager and one storage node lose their directories, one
 * after the other, and fetch everything again. A directory that is given is kept, and its chain is
 * used again.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { defined } from "../src/base/assert.js";
import { initConsortium } from "../src/cli/init/init-consortium.js";
import { findConfigFiles, startNodes } from "../src/cli/nodes/node-processes.js";
import { openStatusSource } from "../src/cli/nodes/node-status.js";
import { connect, readProfile } from "../src/client/index.js";
import { loadNodeConfig } from "../src/config/node-config.js";
import { freeBasePort } from "../test/support/free-ports.js";
import { hourlyReadings, skipHours } from "./throughput.js";

const sizes = { managers: 4, storage: 4, participants: 1 };
const wiped = ["manager-4", "storage-4"];
const inFlightMax = 8;

const { values } = parseArgs({
  options: {
    blocks: { type: "string", default: "2000" },
    records: { type: "string", default: "5" },
    dir: { type: "string" },
    "cpu-prof": { type: "string" },
  },
});
const [blocks, records] = [Number(values.blocks), Number(values.records)];
if (!(blocks > 0 && records > 0)) throw new Error("--blocks and --records take numbers above 0");

const parent = values.dir === undefined ? mkdtempSync(join(tmpdir(), "bss-bench-")) : undefined;
try {
  await run(values.dir ?? join(defined(parent, "made above"), "consortium"));
} finally {
  if (parent !== undefined) rmSync(parent, { recursive: true, force: true });
}

async function run(directory: string): Promise<void> {
  if (!existsSync(directory)) await makeConsortium(directory);
  const configs = findConfigFiles(directory).map(loadNodeConfig);
  const others = configs.map(({ id }) => id).filter((id) => !wiped.includes(id));
  const staying = await startNodes(directory, { only: others });
  const statuses = openStatusSource(directory);
  const statusOf = (id: string) =>
    statuses.statusOf(
      defined(
        configs.find((each) => each.id === id),
        id,
      ),
    );
  const heightOf = async (id: string) => (await statusOf(id))?.height ?? 0;
  try {
    const all = await startNodes(directory, { only: wiped });
    skipHours((await statusOf("manager-1"))?.treeSize ?? 0);
    await grow(directory, () => heightOf("manager-1"));
    const target = await heightOf("manager-1");
    await all.stop();
    for (const id of wiped) {
      const config = defined(
        configs.find((each) => each.id === id),
        id,
      );
      rmSync(config.dataDirectory, { recursive: true, force: true });
      const profile = values["cpu-prof"];
      const execArgv = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
      const node = await startNodes(directory, { only: [id], execArgv });
      const startMs = performance.now();
      let first: { readonly ms: number; readonly height: number } | undefined;
      for (let height = 0; height < target; ) {
        await sleep(100);
        height = await heightOf(id);
        if (height > 0) first ??= { ms: performance.now(), height };
      }
      const endMs = performance.now();
      const perS = (target - (first?.height ?? 0)) / ((endMs - (first?.ms ?? startMs)) / 1_000);
      const result = { id, blocks: target, seconds: round((endMs - startMs) / 1_000) };
      console.log(JSON.stringify({ ...result, blocksPerS: round(perS) }));
      await node.stop();
    }
    const machine = { cores: availableParallelism(), cpu: cpus()[0]?.model, node: process.version };
    console.log(JSON.stringify({ machine, recordsPerSubmission: records }));
  } finally {
    statuses.close();
    await staying.stop();
  }
}

async function makeConsortium(directory: string): Promise<void> {
  const basePort = await freeBasePort(Math.max(sizes.managers, sizes.storage));
  await initConsortium(directory, { name: "bench", basePort, ...sizes });
  for (const file of findConfigFiles(directory)) {
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("level: info", "level: warn"));
  }
}

/** Submits until the chain is as long as it should be. */
async function grow(directory: string, height: () => Promise<number>): Promise<void> {
  const profile = readProfile(join(directory, "participants", "participant-1", "profile.yaml"));
  const client = await connect(profile);
  let isLong = (await height()) >= blocks;
  const submissions = function* () {
    while (!isLong) yield client.sign(hourlyReadings(client.profile.id, records));
  };
  try {
    for await (const { index, refusal } of client.submitStream(submissions(), { inFlightMax })) {
      if (refusal !== undefined) throw refusal;
      if (index % 50 === 0) isLong = (await height()) >= blocks;
    }
  } finally {
    client.close();
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
