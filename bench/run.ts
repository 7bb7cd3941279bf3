/**
 * `node dist/bench/run.js`: how fast a consortium makes submissions final, what that costs each
 * kind of node, and how near that is to the least that the protocol asks for. docs/performance.md
 * says how it measures and what the columns mean.
 *
 *     --managers 4 --storage 7    sizes; lists with commas measure each pair
 *     --rtt-ms 0                  round trips between everybody, ms; a list measures each
 *     --loads "1 x 16,100 at 4/s" the loads; --full takes the whole matrix
 *     --seconds 8                 measured time of each load
 *     --warm-seconds 60           time under other loads before the first one, in each consortium
 *                                 that is started; 0 with --dir, as its ledger keeps their records
 *     --out FILE                  writes the run as JSON, for compare.js
 *     --dir DIRECTORY             measures the consortium that runs there, as its client alone
 */
import { parseArgs } from "node:util";
import { findConfigFiles } from "../src/cli/nodes/node-processes.js";
import type { BssClient } from "../src/client/index.js";
import { loadNodeConfig } from "../src/config/node-config.js";
import { mustSpendMsPerBlock, type Shape } from "./limit/counts.js";
import { measurePrimitives, medianCosts, type PrimitiveCosts } from "./limit/primitives.js";
import { allLoads, fewLoads, type Load, parseLoad } from "./loads/load.js";
import { type LoadResult, measureLoad } from "./loads/measure-load.js";
import { recordsOf, skipHours } from "./loads/readings.js";
import { warmConsortium, warmMsOf } from "./loads/warming.js";
import { DelayedNetwork } from "./network/delayed-network.js";
import { type OwnConsortium, withConsortium } from "./own-consortium.js";
import { newRun, type RunResult, type Section, thisMachine, writeRun } from "./report/run-file.js";
import { primitivesText, progressLine, sectionText, sectionTitle } from "./report/run-report.js";
import { untilQuiet } from "./usage/quiet.js";
import { type Role, roles } from "./usage/snapshot.js";

const { values } = parseArgs({
  options: {
    managers: { type: "string", default: "4" },
    storage: { type: "string", default: "7" },
    "rtt-ms": { type: "string", default: "0" },
    loads: { type: "string" },
    full: { type: "boolean", default: false },
    seconds: { type: "string", default: "8" },
    "warm-seconds": { type: "string" },
    dir: { type: "string" },
    out: { type: "string" },
  },
});

const warmUpMs = 2_000;
const drainMsMax = 20_000;
/** Before the first load if nothing else warms the nodes: connections, code that has run at all. */
const firstLoad: Load = { kind: "closed", of: "readings", batchRecords: 10, inFlight: 16 };
const firstLoadMs = 4_000;
/** Of each participant: so many that their profiles of a day fill a submission. */
const profileMeters = 100;

const windowMs = numbers("seconds", values.seconds, 0.5)[0] * 1_000;
const warmMs = warmMsOf(values["warm-seconds"] ?? (values.dir === undefined ? "60" : "0"));
const listed = values.loads?.split(",").map(parseLoad);
const usual = values.full ? allLoads : fewLoads;
// Somebody else's consortium may lack the meters of load profiles.
const loads =
  listed ?? (values.dir === undefined ? usual : usual.filter(({ of }) => of === "readings"));
const plans =
  values.dir !== undefined
    ? [planOf(values.dir)]
    : numbers("managers", values.managers, 1).flatMap((managers) =>
        numbers("storage", values.storage, 1).flatMap((storage) =>
          numbers("rtt-ms", values["rtt-ms"], 0).map((rttMs) => ({ managers, storage, rttMs })),
        ),
      );

const machine = thisMachine();
console.log(`${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}, ${machine.commit}`);
const startedAt = new Date().toISOString();
/** Measured before each load, as a machine that others use becomes faster and slower. */
const primitives: PrimitiveCosts[] = [];

const sections: Section[] = [];
for (const plan of plans) {
  const section = await measureSection(plan);
  sections.push(section);
  console.log(`\n${sectionText(section)}`);
  const costs = { primitives: medianCosts(primitives) };
  const run = newRun(Object.assign({ machine, startedAt, windowMs, warmMs }, costs));
  // After each section: a run that is stopped keeps what it has measured.
  if (values.out !== undefined) writeRun(values.out, Object.assign({}, run, { sections }));
  if (sections.length === plans.length) console.log(`\n${primitivesText(costs)}`);
}
const lost = sections.flatMap(({ results }) => results).filter(isLost);
if (lost.length > 0) console.log(`\n${lost.length} loads lost records: their figures do not count`);
process.exit(lost.length > 0 ? 1 : 0);

async function measureSection(plan: Omit<Section, "results">): Promise<Section> {
  console.log(`\n${sectionTitle(plan)}`);
  const { managers, storage, rttMs } = plan;
  // Each load has a participant of its own, whose meter has a reading of each hour still to come.
  const participants = loads.length + 1;
  const sizes = { managers, storage, participants, profileMeters };
  const results: RunResult[] = [];
  let network: DelayedNetwork | undefined;
  const prepare = async (configs: OwnConsortium["configs"]) => {
    if (rttMs > 0) network = await DelayedNetwork.open(configs, rttMs);
  };
  try {
    await withConsortium(values.dir, { sizes, prepare }, async (consortium) => {
      if (values.dir !== undefined) await skipOwnHours(consortium);
      await warmNodes(consortium);
      for (const [index, load] of loads.entries()) {
        const options = { index: index + 1, windowMs, network };
        const costs = await measurePrimitives();
        primitives.push(costs);
        const measured = await measureOne(consortium, load, options);
        const result = withShares(measured, plan, costs);
        results.push(result);
        console.log(progressLine(result));
        if (!(await untilQuiet(consortium))) console.log("! some of its records still wait");
      }
    });
  } finally {
    network?.close();
  }
  return Object.assign({}, plan, { results });
}

async function warmNodes(consortium: OwnConsortium): Promise<void> {
  if (warmMs === 0) {
    await measureOne(consortium, firstLoad, { index: 0, windowMs: firstLoadMs });
    await untilQuiet(consortium);
    return;
  }
  const meters = values.dir === undefined ? profileMeters : 0;
  const options = { totalMs: warmMs, profileMeters: meters };
  await warmConsortium(consortium, clientAt(consortium, 0), options);
}

async function measureOne(
  consortium: OwnConsortium,
  load: Load,
  options: {
    readonly index: number;
    readonly windowMs: number;
    readonly network?: DelayedNetwork | undefined;
  },
): Promise<LoadResult> {
  const near = clientAt(consortium, options.index);
  const client = (await options.network?.connect(near)) ?? near;
  try {
    const records = recordsOf(load, client.profile.id, profileMeters);
    const { windowMs } = options;
    return await measureLoad(consortium, client, { load, records, warmUpMs, windowMs, drainMsMax });
  } finally {
    if (client !== near) client.close();
  }
}

/** One participant has several loads if there are more loads than participants. */
function clientAt({ clients, directory }: OwnConsortium, index: number): BssClient {
  const client = clients[index % clients.length];
  if (client === undefined) throw new Error(`${directory} has no participants`);
  return client;
}

/** The sizes of a consortium that somebody else has started. */
function planOf(directory: string): Omit<Section, "results"> {
  const roleOf = findConfigFiles(directory).map((file) => loadNodeConfig(file).role);
  const managers = roleOf.filter((role) => role === "manager").length;
  return { managers, storage: roleOf.length - managers, rttMs: 0 };
}

/** Of a consortium that ran before: as many as it has records. */
async function skipOwnHours({ clients }: OwnConsortium): Promise<void> {
  const status = await clients[0]?.status();
  skipHours(Number(status?.treeSize ?? 0));
}

function withShares(
  result: LoadResult,
  { managers, storage }: Omit<Section, "results">,
  costs: PrimitiveCosts,
): RunResult {
  const { recordsPerBlock, recordBytes } = result;
  const { batchRecords } = result.load;
  const shares: Partial<Record<Role, number>> = {};
  for (const role of roles) {
    const spentMs = result.roles[role].cpuMsPerBlock?.value;
    if (!spentMs || recordsPerBlock === undefined) continue;
    const shape: Shape = { managers, storage, batchRecords, recordsPerBlock, recordBytes };
    shares[role] = mustSpendMsPerBlock(role, shape, costs) / spentMs;
  }
  return Object.assign({}, result, { shares });
}

function isLost({ refused, failure }: RunResult): boolean {
  return Object.keys(refused).length > 0 || failure !== undefined;
}

function numbers(option: string, text: string, least: number): readonly [number, ...number[]] {
  const [first, ...rest] = text.split(",").map(Number);
  if (first === undefined || ![first, ...rest].every((number) => number >= least)) {
    throw new Error(`--${option} takes numbers from ${least} on, with commas between them`);
  }
  return [first, ...rest];
}
