/** What the environment says about a run of the demo. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CliError } from "../../src/cli/text/cli-error.js";

export type DemoSettings = {
  /** How many hours of the data, from the first on. */
  readonly hoursMax: number;
  /** Directory with the three CSV files. */
  readonly dataDirectory: string;
  /** Where the consortium is made. */
  readonly directory: string;
  /** Manager i listens on this plus i; free ports are looked for when it is absent. */
  readonly basePort?: number;
};

const defaultHours = 168;
const hoursBound = 1_000_000;
/** With the ports that lie farthest above it. */
const basePortMax = 60_000;

/** DEMO_HOURS, DEMO_DATA, DEMO_DIR and DEMO_PORT, or what is usual. Throws `CliError`. */
export function demoSettings(
  environment: Readonly<Record<string, string | undefined>>,
): DemoSettings {
  const { DEMO_HOURS = "", DEMO_DATA = "", DEMO_DIR = "", DEMO_PORT = "" } = environment;
  return {
    hoursMax: DEMO_HOURS === "" ? defaultHours : hours(DEMO_HOURS),
    dataDirectory: DEMO_DATA === "" ? shippedData() : resolve(DEMO_DATA),
    directory: resolve(DEMO_DIR === "" ? ".demo" : DEMO_DIR),
    ...(DEMO_PORT !== "" && { basePort: basePortOf(DEMO_PORT) }),
  };
}

function hours(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= hoursBound) return value;
  const next = `use a whole number from 1 to ${hoursBound}`;
  throw new CliError(`DEMO_HOURS=${text} is no number of hours`, next);
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
