/**
 * `node dist/bench/meters/run.js`: one day of many meters, as load profiles of 96 quarter-hours,
 * from one participant onto a consortium of its own; and what the figures come to for a million
 * meters and for a year. docs/scaling.md has the results.
 *
 *     --meters 10000             how many
 *     --managers 4 --storage 7   the consortium
 */
import { parseArgs } from "node:util";
import type { Submission } from "../../src/client/index.js";
import { profileValues } from "../loads/load.js";
import { dailyProfiles, quarterMeterIds } from "../loads/readings.js";
import { type OwnConsortium, withOwnConsortium } from "../own-consortium.js";
import { figure, textTable } from "../report/text-table.js";
import { untilQuiet } from "../usage/quiet.js";
import { type NodeRole, takeSnapshot, type Used, usedBetween } from "../usage/snapshot.js";

const { values: options } = parseArgs({
  options: {
    meters: { type: "string", default: "10000" },
    managers: { type: "string", default: "4" },
    storage: { type: "string", default: "7" },
  },
});

const batchRecords = 100;
const inFlight = 64;
const daysOfYear = 365;
const nodeRoles: readonly NodeRole[] = ["manager", "storage"];

const count = Number(options.meters);
if (!Number.isSafeInteger(count) || count < batchRecords || count % batchRecords !== 0) {
  throw new Error(`--meters takes a multiple of ${batchRecords}`);
}
const sizes = {
  managers: Number(options.managers),
  storage: Number(options.storage),
  participants: 1,
  profileMeters: count,
};
console.log(
  `${count} meters, a day of ${profileValues} values each, ${sizes.managers} managers, ${sizes.storage} storage nodes`,
);

let measured: Measured | undefined;
await withOwnConsortium({ sizes }, async (consortium) => {
  measured = await measureDay(consortium);
});
if (measured !== undefined) console.log(report(measured));
process.exit(measured?.refused === 0 ? 0 : 1);

type Measured = {
  readonly seconds: number;
  readonly refused: number;
  readonly used: Used;
};

async function measureDay(consortium: OwnConsortium): Promise<Measured> {
  const client = consortium.clients[0];
  if (client === undefined) throw new Error("the consortium has no participant");
  const { id } = client.profile;
  const meters = quarterMeterIds(id, count);
  function* submissions() {
    for (let sent = 0; sent < count; sent += batchRecords) {
      yield client?.sign(dailyProfiles(id, meters, batchRecords)) as Submission;
    }
  }
  const before = await takeSnapshot(consortium);
  const startMs = performance.now();
  let final = 0;
  for await (const { response } of client.submitStream(submissions(), { inFlightMax: inFlight })) {
    final += (response?.outcomes ?? []).filter(
      ({ outcome }) => outcome.case === "committed",
    ).length;
  }
  const seconds = (performance.now() - startMs) / 1_000;
  await untilQuiet(consortium);
  const used = usedBetween(before, await takeSnapshot(consortium));
  return { seconds, refused: count - final, used };
}

function report({ seconds, refused, used }: Measured): string {
  const rows = nodeRoles.map((role) => {
    const { keptBytes = Number.NaN, residentMiB } = used.roles[role];
    const perProfile = keptBytes / count;
    const yearTB = (perProfile * 1e6 * daysOfYear) / 1e12;
    return [role, perProfile, perProfile / profileValues, yearTB, daysOfYear / yearTB, residentMiB];
  });
  const perS = count / seconds;
  const head = [
    ...["of", "kept B/profile", "kept B/value", "TB a year, 10^6 meters"],
    ...["days on 1 TB", "MiB"],
  ];
  return [
    `${figure(count - refused)} profiles final, ${refused} not, in ${figure(seconds)} s:`,
    `${figure(perS)} profiles/s, ${figure(perS * profileValues)} values/s, ` +
      `${figure((used.records ?? 0) / (used.blocks ?? 1))} profiles a block`,
    `a day of a million meters would take ${figure(1e6 / perS / 60)} min`,
    "",
    textTable(head, rows),
  ].join("\n");
}
