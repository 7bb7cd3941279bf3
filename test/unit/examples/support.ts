/** Data directories made up for a test. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CommunityDay,
  daysOf,
} from "../../../examples/energy-community/community/community-days.js";
import {
  Community,
  type CommunityHour,
} from "../../../examples/energy-community/community/community-hours.js";
import { DataProblems } from "../../../examples/energy-community/community/data-problems.js";
import { dataFileNames } from "../../../examples/energy-community/community/homes-csv.js";
import { repositoryRoot } from "../../support/tree.js";

export const shippedData = join(repositoryRoot(), "examples", "energy-community", "data");

export const hourlyHeader = "building,row,month,hour,day_type,non_shiftable_load,solar_generation";

export type DataFiles = { hourly: string; panels: string; tariff: string };

/** Two homes, the first two hours of the source's calendar. */
export const smallData: DataFiles = {
  hourly: [
    hourlyHeader,
    "Building_1,1,7,24,7,2.2758,0.0",
    "Building_2,1,7,24,7,0.5,1000",
    "Building_1,2,8,1,1,1.0,0.0",
    "Building_2,2,8,1,1,0.25,250.0",
    "",
  ].join("\n"),
  panels: "building,pv_nominal_power_kw\nBuilding_1,4.0\nBuilding_2,2\n",
  tariff: "row,electricity_pricing\n1,0.22\n2,0.3\n",
};

export function writeData(directory: string, files: Partial<DataFiles> = {}): string {
  const { hourly, panels, tariff } = { ...smallData, ...files };
  writeFileSync(join(directory, dataFileNames.hourly), hourly);
  writeFileSync(join(directory, dataFileNames.panels), panels);
  writeFileSync(join(directory, dataFileNames.tariff), tariff);
  return directory;
}

/** Everything that a directory gives, and what was wrong with it. */
export async function readAll(directory: string, daysMax = Number.POSITIVE_INFINITY) {
  const problems = new DataProblems();
  const community = await Community.open(directory, problems);
  const days: CommunityDay[] = [];
  for await (const day of daysOf(community.hours(problems), daysMax)) days.push(day);
  const hours: readonly CommunityHour[] = days.flatMap((day) => day.hours);
  return { community, days, hours, problems };
}
