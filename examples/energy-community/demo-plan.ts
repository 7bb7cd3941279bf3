/** The first reading of the data: what is going to be recorded, before any of it is. */
import { CliError } from "../../src/cli/text/cli-error.js";
import { meterIntervalS } from "./community.js";
import { Community, type CommunityHour } from "./community-hours.js";
import type { DataProblems } from "./data-problems.js";
import type { DemoSettings } from "./demo-settings.js";
import { CommunitySums } from "./energy-sums.js";

export type DemoPlan = {
  readonly community: Community;
  /** What the ledger has to hold at the end. */
  readonly sums: CommunitySums;
  readonly firstHour: CommunityHour;
  /** The first hour with a trade, if there is one. */
  readonly tradeHour?: CommunityHour;
  /** Unix s. */
  readonly endS: number;
};

/** Throws `CliError` when there is nothing to record. */
export async function planDemo(
  { dataDirectory, hoursMax }: DemoSettings,
  problems: DataProblems,
  signal: AbortSignal,
): Promise<DemoPlan> {
  const community = await Community.open(dataDirectory, problems);
  const sums = new CommunitySums(community.homes.map(({ id }) => id));
  let firstHour: CommunityHour | undefined;
  let tradeHour: CommunityHour | undefined;
  let endS = 0;
  for await (const hour of community.hours(hoursMax, problems)) {
    signal.throwIfAborted();
    sums.add(hour);
    firstHour ??= hour;
    if (hour.trades.length > 0) tradeHour ??= hour;
    endS = hour.startS + meterIntervalS;
  }
  if (firstHour === undefined) {
    const what = [`no hour of ${dataDirectory} can be read`, ...problems.lines()].join("; ");
    throw new CliError(what, "mend the files, or leave DEMO_DATA out");
  }
  return { community, sums, firstHour, endS, ...(tradeHour === undefined ? {} : { tradeHour }) };
}
