/** What the environment says about a run of the demo. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CliError } from "../../src/cli/text/cli-error.js";

export type DemoSettings = {
  /** How many days of the data, from the first one on. */
  readonly daysMax: number;
  /** Directory with the three CSV files. */
  readonly dataDirectory: string;
  /** Where the consortium is made. */
  readonly directory: string;
  /** Manager i listens on this plus i; free ports are looked for when it is absent. */
  readonly basePort?: number;
};

/** Also what is meant when nothing is said: all that there are. */
const daysBound = 40_000;
/** With the ports that lie farthest above it. */
const basePortMax = 60_000;

/** DEMO_DAYS, DEMO_DATA, DEMO_DIR and DEMO_PORT, or what is usual. Throws `CliError`. */
export function demoSettings(
  environment: Readonly<Record<string, string | undefined>>,
): DemoSettings {
  const { DEMO_DAYS = "", DEMO_DATA = "", DEMO_DIR = "", DEMO_PORT = "" } = environment;
  return {
    daysMax: DEMO_DAYS === "" ? daysBound : days(DEMO_DAYS),
    dataDirectory: DEMO_DATA === "" ? shippedData() : resolve(DEMO_DATA),
    directory: resolve(DEMO_DIR === "" ? ".demo" : DEMO_DIR),
    ...(DEMO_PORT !== "" && { basePort: basePortOf(DEMO_PORT) }),
  };
}

function days(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= daysBound) return value;
  const next = `use a whole number from 1 to ${daysBound}`;
  throw new CliError(`DEMO_DAYS=${text} is no number of days`, next);
}

function basePortOf(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= basePortMax) return value;
  const next = `use a whole number from 1 to ${basePortMax}, such as 8400`;
  throw new CliError(`DEMO_PORT=${text} is no base port`, next);
}

/** In the sources, wherever this file was compiled to. */
function shippedData(): string {
  const path = join("examples", "energy-community", "data");
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, path)) && dirname(directory) !== directory) {
    directory = dirname(directory);
  }
  return join(directory, path);
}
