/**
 * One consortium: managers as processes of their own, X light storage nodes in a few others, one
 * participant that submits one batch of meter readings after the other.
 */
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { initConsortium } from "../../src/cli/init/init-consortium.js";
import { findConfigFiles, startNodes } from "../../src/cli/nodes/node-processes.js";
import { connect, readProfile } from "../../src/client/index.js";
import { freeBasePort } from "../../test/support/free-ports.js";
import { hourlyReadings } from "../throughput.js";
import type { HostReport } from "./light-host.js";
import { addedCounts, type Counts } from "./traffic.js";
import { canMeasure, type Usage, usageOf, usedSince } from "./usage.js";

export type Plan = {
  readonly nodes: number;
  readonly blocks: number;
  /** The time after which no other batch is submitted, also when blocks are missing. */
  readonly secondsMax: number;
  readonly records: number;
};

export type Measured = Plan & {
  readonly made: number;
  readonly linkedAfterS: number;
  readonly blockMsP50: number;
  readonly blockMsMax: number;
  /** Of one manager in the mean, while nothing is submitted. */
  readonly managerIdleCpuMsPerS: number;
  /** Of one manager in the mean, for one block. */
  readonly managerCpuMs: number;
  readonly managerReadKiB: number;
  readonly managerWrittenKiB: number;
  readonly managerResidentMiB: number;
  /** Of all storage nodes of this machine, for one block. */
  readonly nodesCpuMs: number;
  /** Between one manager in the mean and its storage nodes, for one block: messages and KiB. */
  readonly down: Readonly<Record<string, readonly [messages: number, kib: number]>>;
  readonly up: Readonly<Record<string, readonly [messages: number, kib: number]>>;
  readonly integrity: { readonly bytes: number; readonly signatures: number };
  readonly membersBytes: number;
  readonly refused: Readonly<Record<string, number>>;
};

const managers = 4;
/**
 * One machine plays all parts, so many nodes take long to link and to answer: nobody is to be taken
 * for absent meanwhile.
 */
const patientPolicy = `timeouts: { verify_ms: 30000 }
suspend_after_ms: 60000
unreachable_after_ms: 0
`;
/** Between blocks: what one costs is done on all nodes before the next one comes. */
const breathMsPerNode = 3;
/** Nodes of one process. */
const nodesPerHost = 250;
const warmUpBlocks = 3;
/** With so many nodes on two cores, the first blocks take long. */
const finalMsMax = 120_000;
const linkingSecondsMax = 240;
const idleMs = 3_000;

export async function measureNodes(parent: string, plan: Plan): Promise<Measured> {
  if (!canMeasure) throw new Error("what processes use is read from /proc: this needs Linux");
  const directory = join(parent, `nodes-${plan.nodes}`);
  const basePort = await freeBasePort(managers);
  const counts = { managers, storage: plan.nodes, participants: 1 };
  const policyFile = `${directory}-policy.yaml`;
  writeFileSync(policyFile, patientPolicy);
  await initConsortium(directory, { name: "bench", basePort, policyFile, ...counts });
  for (const file of findConfigFiles(directory).slice(0, managers)) {
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace("level: info", "level: warn"));
  }
  const only = Array.from({ length: managers }, (_, i) => `manager-${i + 1}`);
  const started = await startNodes(directory, { only });
  const hosts = startHosts(directory, plan.nodes);
  try {
    const linkedAfterS = await untilLinked(hosts, plan.nodes * managers);
    const pids = started.nodes.map(({ pid }) => pid);
    const measured = await load(directory, plan, pids, hosts).catch(async (error: unknown) => {
      const states = (await reportsOf(hosts)).map(({ links, height, refused }) => {
        return { links, height, refused };
      });
      throw new Error(`${error}; storage nodes: ${JSON.stringify(states)}`);
    });
    return { ...measured, linkedAfterS };
  } finally {
    for (const host of hosts) host.disconnect();
    await started.stop();
  }
}

async function load(
  directory: string,
  plan: Plan,
  pids: readonly number[],
  hosts: readonly ChildProcess[],
): Promise<Omit<Measured, "linkedAfterS">> {
  const profile = readProfile(join(directory, "participants", "participant-1", "profile.yaml"));
  const client = await connect(profile);
  const blockMs: number[] = [];
  let before: readonly Usage[] = [];
  let hostsBefore: readonly Usage[] = [];
  let reportsBefore: readonly HostReport[] = [];
  let idleCpuMsPerS = 0;
  const hostPids = hosts.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  try {
    const endMs = performance.now() + plan.secondsMax * 1_000;
    for (let block = 0; block < warmUpBlocks + plan.blocks; block++) {
      if (block === warmUpBlocks) {
        await untilQuiet(hosts);
        idleCpuMsPerS = await idleCpu(pids);
        before = pids.map(usageOf);
        hostsBefore = hostPids.map(usageOf);
        reportsBefore = await reportsOf(hosts);
      }
      const startMs = performance.now();
      if (block > warmUpBlocks && startMs > endMs) break;
      const readings = hourlyReadings(client.profile.id, plan.records);
      await client.submit(client.sign(readings), { timeoutMs: finalMsMax });
      if (block >= warmUpBlocks) blockMs.push(performance.now() - startMs);
      await sleep(plan.nodes * breathMsPerNode);
    }
  } finally {
    client.close();
  }
  const made = blockMs.length;
  await untilQuiet(hosts);
  const used = usedSince(pids, before);
  const usedByNodes = usedSince(hostPids, hostsBefore);
  const reports = await reportsOf(hosts);
  const each = (value: number) => round(value / managers / made);
  const sorted = blockMs.toSorted((a, b) => a - b);
  return {
    ...plan,
    made,
    blockMsP50: round(sorted[Math.floor(made / 2)] ?? 0),
    blockMsMax: round(sorted.at(-1) ?? 0),
    managerIdleCpuMsPerS: round(idleCpuMsPerS),
    managerCpuMs: each(used.cpuMs),
    managerReadKiB: each(used.readBytes / 1_024),
    managerWrittenKiB: each(used.writtenBytes / 1_024),
    managerResidentMiB: round(used.residentMiB / managers),
    nodesCpuMs: round(usedByNodes.cpuMs / made),
    down: perBlock("in"),
    up: perBlock("out"),
    integrity: reports[0]?.integrity ?? { bytes: 0, signatures: 0 },
    membersBytes: reports[0]?.membersBytes ?? 0,
    refused: Object.assign({}, ...reports.map(({ refused }) => refused)),
  };

  function perBlock(direction: "in" | "out"): Record<string, readonly [number, number]> {
    const now = addedCounts(reports.map(({ counts }) => counts[direction]));
    const then: Counts = addedCounts(reportsBefore.map(({ counts }) => counts[direction]));
    const entries = Object.entries(now).map(([kind, { messages, bytes }]) => {
      const was = then[kind] ?? { messages: 0, bytes: 0 };
      const cells = [each(messages - was.messages), each((bytes - was.bytes) / 1_024)] as const;
      return [kind, cells] as const;
    });
    return Object.fromEntries(entries);
  }
}

function startHosts(directory: string, nodes: number): readonly ChildProcess[] {
  const file = join(import.meta.dirname, "light-host.js");
  const hosts: ChildProcess[] = [];
  for (let from = 1; from <= nodes; from += nodesPerHost) {
    const to = Math.min(nodes, from + nodesPerHost - 1);
    hosts.push(fork(file, [directory, String(from), String(to)]));
  }
  return hosts;
}

async function untilLinked(hosts: readonly ChildProcess[], links: number): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    await sleep(250);
    const reports = await reportsOf(hosts);
    const seconds = (performance.now() - startMs) / 1_000;
    const up = reports.reduce((sum, report) => sum + report.links, 0);
    if (up === links) return round(seconds);
    if (seconds > linkingSecondsMax) throw new Error(`${up} of ${links} links after ${seconds} s`);
  }
}

/** CPU ms of one manager in the mean for a second without load. */
async function idleCpu(pids: readonly number[]): Promise<number> {
  const before = pids.map(usageOf);
  const startMs = performance.now();
  await sleep(idleMs);
  const { cpuMs } = usedSince(pids, before);
  return (cpuMs * 1_000) / (performance.now() - startMs) / pids.length;
}

/** Until nothing has been sent or received for a second: stand-ins have had their turn. */
async function untilQuiet(hosts: readonly ChildProcess[]): Promise<void> {
  let before = "";
  for (let tries = 0; tries < 60; tries++) {
    await sleep(1_500);
    const now = JSON.stringify((await reportsOf(hosts)).map(({ counts }) => counts));
    if (now === before) return;
    before = now;
  }
}

function reportsOf(hosts: readonly ChildProcess[]): Promise<readonly HostReport[]> {
  return Promise.all(
    hosts.map(
      (host) =>
        new Promise<HostReport>((resolve, reject) => {
          const ended = () => reject(new Error("a process of storage nodes has ended"));
          host.once("exit", ended);
          host.once("message", (message) => {
            host.off("exit", ended);
            resolve(message as HostReport);
          });
          host.send("report");
        }),
    ),
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
