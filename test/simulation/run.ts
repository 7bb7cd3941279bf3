/**
 * Runs simulations: `SEEDS=200 FIRST_SEED=1 node dist/test/simulation/run.js`. MANAGERS and STORAGE
 * fix the size of the consortium, TRACE=1 prints what happens. Prints what was run and injected;
 * a seed that fails prints the command that replays it, and the exit status is 1.
 */
import { Counters } from "./counters.js";
import { type Report, type SimulationOptions, simulate } from "./simulation.js";

const seeds = numberOf("SEEDS") ?? 100;
const firstSeed = numberOf("FIRST_SEED") ?? 1;
const sizes = sizesOf();
const trace = process.env.TRACE === "1";
const variables: Readonly<Record<string, string>> = {
  managersCount: "MANAGERS",
  storageCount: "STORAGE",
};

process.exitCode = main() ? 0 : 1;

function main(): boolean {
  const startedMs = cpuMs();
  const totals = new Counters();
  let violations = 0;
  let simulatedMs = 0;
  let roundsNeeded = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const options: SimulationOptions = { seed, ...sizes };
    const report = simulate(trace ? { ...options, log: (line) => console.log(line) } : options);
    totals.addAll(report.counters);
    totals.count("blocks", report.height);
    totals.count("records final", report.records);
    simulatedMs += report.simulatedMs;
    roundsNeeded = Math.max(roundsNeeded, report.roundsNeeded);
    if (report.violation === undefined) continue;
    violations += 1;
    describe(report);
  }
  const seconds = (cpuMs() - startedMs) / 1000;
  const blocks = totals.of("blocks");
  for (const [name, count] of totals.entries()) console.log(`  ${name.padEnd(48)} ${count}`);
  console.log(`${seeds} seeds from ${firstSeed}: ${(simulatedMs / 1000).toFixed(0)} s simulated`);
  console.log(
    `${blocks} blocks, ${(blocks / seconds).toFixed(0)} a second, ${seconds.toFixed(1)} s of CPU`,
  );
  console.log(`at most ${roundsNeeded} more rounds for a height after the faults`);
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
  console.log(`  ${JSON.stringify(plan)}`);
  const command = `node ${process.argv[1]}`;
  console.log(`  ${size.join("")}SEEDS=1 FIRST_SEED=${plan.seed} TRACE=1 ${command}\n`);
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
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`${variable} is not a number: ${text}`);
  process.exit(2);
}
