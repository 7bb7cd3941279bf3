/**
 * The command line as a commander program. `bss X` is in the file X.ts, which exports
 * `register(program)`. This file adds what all commands share: `--json`, `--debug`, errors as one
 * line that says what to do next, and exit codes (cli-error.ts).
 */
import { Command, CommanderError } from "commander";
import { printable } from "../base/printable.js";
import { version } from "../base/version.js";
import { register as registerInit } from "./init/init.js";
import { register as registerConsortium } from "./members/consortium.js";
import { register as registerInvite } from "./members/invite.js";
import { register as registerManagers } from "./members/managers.js";
import { register as registerReissue } from "./members/reissue.js";
import { register as registerRenew } from "./members/renew.js";
import { register as registerCheck } from "./nodes/check.js";
import { register as registerDevnet } from "./nodes/devnet.js";
import { register as registerFork } from "./nodes/fork.js";
import { register as registerStart } from "./nodes/start.js";
import { register as registerStatus } from "./nodes/status.js";
import { register as registerStorage } from "./nodes/storage.js";
import { register as registerBlocks } from "./records/blocks.js";
import { register as registerGet } from "./records/get.js";
import { register as registerHistory } from "./records/history.js";
import { register as registerList } from "./records/list.js";
import { register as registerReceipt } from "./records/receipt.js";
import { register as registerVerify } from "./records/verify.js";
import { register as registerRegister } from "./register/register.js";
import { register as registerSubmit } from "./submit/submit.js";
import { exitCodes } from "./text/cli-error.js";
import { errorMessage, exitCodeOf } from "./text/error-message.js";

/** The commands, in the groups and the order in which `bss --help` lists them. */
const groups: readonly (readonly [heading: string, ...((program: Command) => void)[]])[] = [
  [
    "Nodes of a consortium:",
    registerInit,
    registerDevnet,
    registerStart,
    registerStatus,
    registerCheck,
    registerStorage,
    registerFork,
  ],
  [
    "Members:",
    registerConsortium,
    registerManagers,
    registerInvite,
    registerRegister,
    registerRenew,
    registerReissue,
  ],
  [
    "Records:",
    registerSubmit,
    registerGet,
    registerHistory,
    registerList,
    registerReceipt,
    registerVerify,
    registerBlocks,
  ],
];

/** Runs one command line (without node and script) and returns the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCodes.success;
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, program, argv);
    const debug = program.opts<{ debug?: boolean }>().debug === true;
    process.stderr.write(`${errorMessage(error, debug)}\n`);
    return exitCodeOf(error);
  }
}

function createProgram(): Command {
  const program = new Command("bss")
    .description("A consortium ledger node for the Energy Internet (Block Static Storage)")
    .version(version, "-V, --version")
    .option("--json", "print results as JSON, one value per line")
    .option("--debug", "print stack traces of errors")
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true);
  for (const [heading, ...registers] of groups) {
    program.commandsGroup(heading);
    for (const register of registers) register(program);
  }
  reportErrorsHere(program);
  return program;
}

/** Makes a command and those below it throw instead of printing and exiting. */
function reportErrorsHere(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const inner of command.commands) reportErrorsHere(inner);
}

function reportUsage(error: CommanderError, program: Command, argv: readonly string[]): number {
  // Help and version end as errors too, with exit code 0. Help that nobody asked for ends with 1,
  // after it has been printed.
  if (error.exitCode === 0) return exitCodes.success;
  if (error.code !== "commander.help") {
    const what = error.message
      .replace(/^error: /, "")
      .replaceAll(/\s+/g, " ")
      .replace(/\.$/, "");
    process.stderr.write(`bss: ${printable(what)}; ${usageAdvice(program, argv)}\n`);
  }
  return exitCodes.usage;
}

/** Names the help of the command that was called, or of the whole program if there is none. */
function usageAdvice(program: Command, argv: readonly string[]): string {
  let names = "bss";
  let command: Command | undefined = program;
  for (const word of argv.filter((each) => !each.startsWith("-"))) {
    command = command.commands.find((each) => each.name() === word);
    if (command === undefined) break;
    names += ` ${word}`;
  }
  const lists = names === "bss" ? "all commands" : "its options";
  return `'${names} --help' lists ${lists}`;
}
