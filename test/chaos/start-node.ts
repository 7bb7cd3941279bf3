/**
 * Starts a node as `bss` does, from the build and with the clock that the file beside its config
 * says. What is shifted is the time of day, while the node runs too; the monotonic clock goes on,
 * as it does when somebody sets a machine's clock.
 *
 * This is the main file of nodes under chaos, given to `startNodes`; nobody imports it.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { nodeSettingsFile, readNodeSettings } from "./node-settings.js";

const pollMs = 200;

const configFile = process.argv.at(-1) ?? "";
const settingsFile = nodeSettingsFile(configFile);
const { build, ...initial } = readNodeSettings(settingsFile);
let { clockOffsetMs } = initial;

const RealDate = Date;
class ShiftedDate extends RealDate {
  constructor(...parts: readonly unknown[]) {
    if (parts.length === 0) super(ShiftedDate.now());
    else super(...(parts as [number]));
  }

  static override now(): number {
    return RealDate.now() + clockOffsetMs;
  }
}
globalThis.Date = ShiftedDate as DateConstructor;

setInterval(() => {
  ({ clockOffsetMs } = readNodeSettings(settingsFile));
}, pollMs).unref();

await import(pathToFileURL(join(build, "src", "cli", "main.js")).href);
