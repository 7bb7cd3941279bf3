/** What the environment says about a run of the demo. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CliError } from "../../src/cli/cli-error.js";

export type DemoSettings = {
  /** How many hours of the data, from the first on. */
  readonly hoursMax: number;
  /** Directory with the three CSV files. */
  readonly dataDirectory: string;
  /** Where the consortium is made. */
  readonly directory: string;
};

const defaultHours = 168;
const hoursBound = 1_000_000;

/** DEMO_HOURS, DEMO_DATA and DEMO_DIR, or what is usual. Throws `CliError`. */
export function demoSettings(
  environment: Readonly<Record<string, string | undefined>>,
): DemoSettings {
  const { DEMO_HOURS = "", DEMO_DATA = "", DEMO_DIR = "" } = environment;
  return {
    hoursMax: DEMO_HOURS === "" ? defaultHours : hours(DEMO_HOURS),
    dataDirectory: DEMO_DATA === "" ? shippedData() : resolve(DEMO_DATA),
    directory: resolve(DEMO_DIR === "" ? ".demo" : DEMO_DIR),
  };
}

function hours(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= hoursBound) return value;
  const next = `use a whole number from 1 to ${hoursBound}`;
  throw new CliError(`DEMO_HOURS=${text} is no number of hours`, next);
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
