/**
 * Runs simulations: `SEEDS=200 FIRST_SEED=1 node dist/test/simulation/run.js`, or with MINUTES
 * instead of SEEDS until the time is over. MANAGERS and STORAGE fix the size of the consortium,
 * SCENARIO=overlapping-absences what goes wrong. TRACE=1 prints what happens, STOP=1 ends with the
 * first violation.
 *
 * Prints what was run and injected; a seed that fails prints the command that replays it, and the
 * exit status is 1.
 */
import { Counters } from "./counters.js";
import { type Report, type SimulationOptions, simulate } from "./simulation.js";

const minutes = numberOf("MINUTES");
const seeds = numberOf("SEEDS") ?? (minutes === undefined ? 100 : Number.POSITIVE_INFINITY);
const firstSeed = numberOf("FIRST_SEED") ?? 1;
const sizes = sizesOf();
const scenarios: Readonly<Record<string, Omit<SimulationOptions, "seed">>> = {
  "overlapping-absences": { calm: true, overlappingAbsences: true },
};
const scenario = scenarioOf();
const trace = process.env.TRACE === "1";
const variables: Readonly<Record<string, string>> = {
  managersCount: "MANAGERS",
  storageCount: "STORAGE",
};

process.exitCode = (await main()) ? 0 : 1;

async function main(): Promise<boolean> {
  const startedMs = performance.now();
  const startedCpuMs = cpuMs();
  const endMs = startedMs + (minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const totals = new Counters();
  let [seed, violations, simulatedMs, events, settledMs] = [firstSeed, 0, 0, 0, 0];
  for (; seed < firstSeed + seeds && performance.now() < endMs; seed++) {
    const options: SimulationOptions = { seed, ...sizes, ...scenario };
    const log = (line: string) => console.log(line);
    const report = await simulate(trace ? { ...options, log } : options);
    totals.addAll(report.counters);
    totals.count("blocks", report.height);
    totals.count("records final", report.records);
    simulatedMs += report.simulatedMs;
    events += report.events;
    settledMs = Math.max(settledMs, report.settledMs);
    if (report.violation === undefined) continue;
    violations += 1;
    describe(report);
    if (process.env.STOP === "1") break;
  }
  for (const [name, count] of totals.entries()) console.log(`  ${name.padEnd(52)} ${count}`);
  const seconds = (cpuMs() - startedCpuMs) / 1_000;
  const done = seed - firstSeed;
  console.log(
    `${done} seeds from ${firstSeed} in ${seconds.toFixed(1)} s of CPU: ` +
      `${(done / seconds).toFixed(1)} seeds a second, ${(events / seconds / 1_000).toFixed(0)} ` +
      `thousand events a second, ${(simulatedMs / 3_600_000).toFixed(2)} hours simulated`,
  );
  console.log(`settled at most ${(settledMs / 1_000).toFixed(1)} s after the faults`);
  console.log(`${violations} violations`);
  return violations === 0;
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function describe({ plan, violation, simulatedMs }: Report): void {
  const size = Object.entries(sizes).map(([name, value]) => `${variables[name]}=${value} `);
  console.log(`\nseed ${plan.seed} breaks ${violation?.checker} at ${simulatedMs.toFixed(1)} ms:`);
  console.log(`  ${violation?.message}`);
  const { SCENARIO } = process.env;
  if (SCENARIO !== undefined) size.push(`SCENARIO=${SCENARIO} `);
  const command = `node ${process.argv[1]}`;
  console.log(`  ${size.join("")}SEEDS=1 FIRST_SEED=${plan.seed} TRACE=1 ${command}\n`);
}

function scenarioOf(): Omit<SimulationOptions, "seed"> {
  const { SCENARIO } = process.env;
  if (SCENARIO === undefined) return {};
  const options = scenarios[SCENARIO];
  if (options === undefined) throw new Error(`there is no scenario ${SCENARIO}`);
  return options;
}

function sizesOf(): { managersCount?: number; storageCount?: number } {
  const [managersCount, storageCount] = [numberOf("MANAGERS"), numberOf("STORAGE")];
  return {
    ...(managersCount === undefined ? {} : { managersCount }),
    ...(storageCount === undefined ? {} : { storageCount }),
  };
}

function numberOf(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  console.error(`${variable} is not a number: ${text}`);
  process.exit(2);
}
