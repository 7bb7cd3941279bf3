/** `make demo`: see README.md in this directory. */
import { CliError, exitCodes } from "../../src/cli/text/cli-error.js";
import { cliErrorOf } from "../../src/cli/text/rpc-advice.js";
import { ConfigError } from "../../src/config/config-error.js";
import { DemoReport } from "./demo-report.js";
import { runDemo } from "./demo-run.js";
import { demoSettings } from "./demo-settings.js";

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
