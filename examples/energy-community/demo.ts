/**
 * `make demo`: a real half year of an energy community on a consortium of eleven processes, and
 * what can be relied on afterwards. See README.md in this directory.
 */

import { writeFileSync } from "node:fs";
import { initConsortium } from "../../src/cli/init/init-consortium.js";
import { describeExit, startNodes } from "../../src/cli/nodes/node-processes.js";
import { CliError, exitCodes } from "../../src/cli/text/cli-error.js";
import { formatDuration, formatTime } from "../../src/cli/text/output.js";
import { cliErrorOf } from "../../src/cli/text/rpc-advice.js";
import { ConfigError } from "../../src/config/config-error.js";
import { communityYaml } from "./community/community.js";
import { DataProblems } from "./community/data-problems.js";
import { DemoDirectory } from "./demo-directory.js";
import { DemoReport } from "./demo-report.js";
import {
  Clients,
  communityKeys,
  type DemoPlan,
  type DemoSession,
  planDemo,
} from "./demo-session.js";
import { type DemoSettings, demoSettings } from "./demo-settings.js";
import { checkEnergy } from "./energy-check.js";
import { freeBasePort } from "./free-ports.js";
import type { EnergyByHour } from "./home-energy.js";
import { checkLedger } from "./ledger-checks.js";
import { weekPicture } from "./picture/week-picture.js";
import { DayRecords } from "./records.js";
import { recordTariff, settleHomes } from "./settlement/settlement-step.js";
import { showReceipts, submitAll } from "./submit-step.js";

const counts = { managers: 4, storage: 7 } as const;
const report = new DemoReport((text) => process.stdout.write(text));
const stop = new AbortController();
const requestStop = () => stop.abort();
process.on("SIGINT", requestStop).on("SIGTERM", requestStop);
process.exitCode = await exitCodeOfDemo();

async function exitCodeOfDemo(): Promise<number> {
  let wrongRows = 0;
  try {
    wrongRows = await runDemo(demoSettings(process.env), report, stop.signal);
  } catch (thrown) {
    if (!stop.signal.aborted) report.fail(messageOf(cliErrorOf(thrown)));
  }
  if (stop.signal.aborted) {
    report.step("demo: stopped");
    return exitCodes.interrupted;
  }
  if (report.failures > 0) report.step("demo: FAILED, see above");
  return report.failures > 0 || wrongRows > 0 ? exitCodes.failure : exitCodes.success;
}

function messageOf(error: unknown): string {
  const isForPeople = error instanceof CliError || error instanceof ConfigError;
  if (isForPeople || !(error instanceof Error)) return String(isForPeople ? error.message : error);
  return error.stack ?? error.message;
}

/**
 * Runs the demo, says in `report` what fails, and returns how many rows of the data are wrong.
 * Whatever it started is stopped when it returns. Throws when it cannot go on.
 */
async function runDemo(
  settings: DemoSettings,
  report: DemoReport,
  signal: AbortSignal,
): Promise<number> {
  const startedMs = performance.now();
  const problems = new DataProblems();
  const plan = await planDemo(settings, problems, signal);
  reportPlan(plan, problems, report);
  const directory = new DemoDirectory(settings.directory);
  try {
    const basePort = await freeBasePort(counts, settings.basePort);
    const consortium = await makeConsortium(directory, plan, basePort, report);
    const { records, blocks } = await onRunningNodes(
      { directory: consortium, plan, report, signal },
      (session) => useLedger(session, directory),
    );
    if (report.failures > 0) return problems.count;
    const nodes = `${counts.managers} managers and ${counts.storage} storage nodes`;
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const left = problems.count === 0 ? "" : `; ${problems.count} problems in the data`;
    report.step(
      `demo: ${records} records in ${blocks} blocks on ${nodes}, roots equal, ` +
        `${seconds} s${left}`,
    );
    return problems.count;
  } finally {
    directory.release();
  }
}

type LedgerSize = { readonly records: number; readonly blocks: number };

/** All that the demo does with a running consortium. */
async function useLedger(session: DemoSession, directory: DemoDirectory): Promise<LedgerSize> {
  const tariff = await recordTariff(session);
  const submitted = await submitAll(session);
  await showReceipts(session, submitted);
  await checkLedger(session, submitted, directory);
  const energy = await checkEnergy(session);
  if (energy.size > 0) drawWeek(session, energy, directory);
  await settleHomes(session, tariff);
  const { heights, records } = submitted;
  return { records: records + 1, blocks: new Set([tariff.place.height, ...heights]).size };
}

function drawWeek(
  { plan, report }: DemoSession,
  energy: EnergyByHour,
  directory: DemoDirectory,
): void {
  const file = directory.file("week.svg");
  writeFileSync(file, weekPicture(energy, plan.sums.byHome.size));
  report.step(`a week of it as a picture: ${file}`);
}

function reportPlan({ sums, startS, endS }: DemoPlan, problems: DataProblems, report: DemoReport) {
  const { profiles, values, sales } = sums.total;
  report.line(
    `${sums.byHome.size} homes, ${sums.days} days, ${sums.hours} hours from ` +
      `${formatTime(startS * 1000)} to ${formatTime(endS * 1000)}`,
  );
  report.line(
    `${profiles} load profiles with ${values} values, ` +
      `${sales} trades in ${sums.hoursWithTrades} of the hours`,
  );
  for (const line of problems.lines()) report.line(`  not used: ${line}`);
}

async function makeConsortium(
  directory: DemoDirectory,
  { community, sums }: DemoPlan,
  basePort: number,
  report: DemoReport,
): Promise<string> {
  const communityFile = directory.file("community.yaml");
  const whMaxOf = (homeId: string) => sums.whMax.get(homeId) ?? 0;
  writeFileSync(communityFile, communityYaml(community.homes, whMaxOf));
  const made = await initConsortium(directory.file("consortium"), {
    name: "energy-community",
    ...counts,
    participants: 0,
    communityFile,
    basePort,
  });
  report.step(`a new consortium in ${made.directory}`);
  report.line(`  id ${made.consortiumId}`);
  const [first, last] = [basePort + 1, basePort + counts.managers];
  report.line(`  managers at 127.0.0.1:${first} to ${last}; DEMO_PORT chooses others`);
  return made.directory;
}

/** Starts the nodes, lets `work` use them, and stops them in any case. */
async function onRunningNodes<T>(
  given: Pick<DemoSession, "directory" | "plan" | "report" | "signal">,
  work: (session: DemoSession) => Promise<T>,
): Promise<T> {
  const { directory, report } = given;
  const nodeEnded = new AbortController();
  const endedIds = new Set<string>();
  const signal = AbortSignal.any([given.signal, nodeEnded.signal]);
  const startedMs = performance.now();
  const processes = await startNodes(directory, {
    signal,
    onExit: (node, exit) => {
      report.fail(`${node.id} ended by itself (${describeExit(exit)}): see ${node.logFile}`);
      endedIds.add(node.id);
      nodeEnded.abort();
    },
  });
  const took = formatDuration(performance.now() - startedMs);
  report.line(`  ${processes.nodes.length} processes, ready after ${took}`);
  const clients = new Clients(directory);
  const records = new DayRecords(communityKeys(directory));
  try {
    return await work({ ...given, processes, records, clients, signal });
  } catch (error) {
    // The work failed because a node ended, so its own error says nothing more.
    if (endedIds.size > 0) throw new CliError("the demo needs all of its nodes", "run it again");
    throw error;
  } finally {
    clients.close();
    for (const { id, exit, killed } of await processes.stop()) {
      if (endedIds.has(id)) continue;
      if (killed) report.fail(`${id} did not stop in time and was killed`);
      else if (exit.code !== 0) report.fail(`${id} stopped with ${describeExit(exit)}`);
    }
  }
}
